// The supported versions of the Docker Engine API, and the headers that announce them.

/** 1.47: Docker Engine 27. Newer clients find it in the answer to /_ping and use it. */
export const API_VERSION = 47;
/**
 * 1.12, dockerd's minimum until version 25: Debian's skopeo uses 1.22. old-versions.ts handles the
 * differences.
 */
export const MIN_API_VERSION = 12;

export function commonHeaders(serverVersion: string): Record<string, string> {
  return {
    'Api-Version': `1.${API_VERSION}`,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `mini-docker/${serverVersion} (linux)`,
  };
}
