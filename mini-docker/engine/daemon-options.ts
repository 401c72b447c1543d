// The command line and the environment of `mini-docker daemon`.

import { isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';

export interface DaemonOptions {
  /** Absolute. */
  dataRoot: string;
  runDir: string;
  /** 'unix:///path' or 'tcp://address:port' */
  hosts: string[];
}

/** @throws Error with one line that says what is wrong */
export function daemonOptions(argv: string[], env: Record<string, string | undefined>): DaemonOptions {
  let values: { 'data-root'?: string; 'run-dir'?: string; host?: string[] };
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        'data-root': { type: 'string' },
        'run-dir': { type: 'string' },
        host: { type: 'string', short: 'H', multiple: true },
      },
    }));
  } catch (error) {
    throw new Error(`${(error as Error).message.split('\n')[0]} (see mini-docker daemon --help)`);
  }
  const dataRoot = values['data-root'] ?? (env.MINI_DOCKER_DATA_ROOT || '/var/lib/mini-docker');
  const runDir = values['run-dir'] ?? (env.MINI_DOCKER_RUN_DIR || '/run/mini-docker');
  for (const [name, path] of Object.entries({ 'data-root': dataRoot, 'run-dir': runDir })) {
    if (!isAbsolute(path)) throw new Error(`--${name} must be an absolute path, not ${JSON.stringify(path)}`);
  }
  const hosts = values.host?.length ? values.host : [`unix://${runDir}/mini-docker.sock`];
  return { dataRoot, runDir, hosts };
}
