// Which versions of the Docker Engine API are spoken, and the headers that tell clients so.

/** 1.47: Docker Engine 27. Newer clients find it in the answer to /_ping and speak it. */
export const API_VERSION = 47;
/** 1.12, as dockerd had it until version 25: Debian's skopeo speaks 1.22. What has changed since is in old-versions.ts. */
export const MIN_API_VERSION = 12;

export function commonHeaders(serverVersion: string): Record<string, string> {
  return {
    'Api-Version': `1.${API_VERSION}`,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `mini-docker/${serverVersion} (linux)`,
  };
}
