// Which versions of the Docker Engine API are spoken, and the headers that tell clients so.

/** 1.47: Docker Engine 27. Newer clients find it in the answer to /_ping and speak it. */
export const API_VERSION = 47;
/** 1.24: the oldest that current clients and libraries still fall back to. */
export const MIN_API_VERSION = 24;

export function commonHeaders(serverVersion: string): Record<string, string> {
  return {
    'Api-Version': `1.${API_VERSION}`,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `mini-docker/${serverVersion} (linux)`,
  };
}
