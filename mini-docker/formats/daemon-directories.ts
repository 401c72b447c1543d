// Where a user's daemon has its files. Root's are the machine's; an ordinary user's are in that user's own
// directories (XDG Base Directory Specification).

import { join } from 'node:path';

export interface DaemonDirectories {
  dataRoot: string;
  runDir: string;
}

/** @param options.uid 0 for root; undefined where the system has no user ids */
export function daemonDirectories(options: {
  uid: number | undefined;
  env: Record<string, string | undefined>;
  home: string;
}): DaemonDirectories {
  const { uid, env, home } = options;
  const defaults =
    uid === 0 ? { dataRoot: '/var/lib/mini-docker', runDir: '/run/mini-docker' } : ofUser(env, home);
  return {
    dataRoot: env.MINI_DOCKER_DATA_ROOT || defaults.dataRoot,
    runDir: env.MINI_DOCKER_RUN_DIR || defaults.runDir,
  };
}

function ofUser(env: Record<string, string | undefined>, home: string): DaemonDirectories {
  const dataRoot = join(env.XDG_DATA_HOME || join(home, '.local/share'), 'mini-docker');
  // Without a session there is no run directory; /tmp is shared with other users, who could take the name.
  const runDir = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'mini-docker') : join(dataRoot, 'run');
  return { dataRoot, runDir };
}
