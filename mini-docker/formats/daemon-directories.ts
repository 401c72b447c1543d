// Where a user's daemon has its files. Root's are the machine's; an ordinary user's are in that user's own
// directories (XDG Base Directory Specification).

import { join } from 'node:path';

export interface DaemonDirectories {
  dataRoot: string;
  runDir: string;
}

/**
 * @param options.uid 0 for root; undefined where the system has no user ids
 * @param options.exists whether there is a file at a path
 */
export function daemonDirectories(options: {
  uid: number | undefined;
  env: Record<string, string | undefined>;
  home: string;
  exists(path: string): boolean;
}): DaemonDirectories {
  const { uid, env } = options;
  const defaults =
    uid === 0 ? { dataRoot: '/var/lib/mini-docker', runDir: '/run/mini-docker' } : ofUser(options);
  return {
    dataRoot: env.MINI_DOCKER_DATA_ROOT || defaults.dataRoot,
    runDir: env.MINI_DOCKER_RUN_DIR || defaults.runDir,
  };
}

function ofUser(options: Parameters<typeof daemonDirectories>[0]): DaemonDirectories {
  const { uid, env, home, exists } = options;
  const dataRoot = join(xdg(env.XDG_DATA_HOME) ?? join(home, '.local/share'), 'mini-docker');
  // su(1) and cron(8) set no variable, even when the user has a session, where systemd makes this directory.
  const session = xdg(env.XDG_RUNTIME_DIR) ?? (exists(`/run/user/${uid}`) ? `/run/user/${uid}` : undefined);
  // Without one, /tmp would be shared with other users, who could take the name.
  return { dataRoot, runDir: session === undefined ? join(dataRoot, 'run') : join(session, 'mini-docker') };
}

/** Where this user's configuration is. */
export function configHome(env: Record<string, string | undefined>, home: string): string {
  return xdg(env.XDG_CONFIG_HOME) ?? join(home, '.config');
}

/** A relative path in such a variable is to be ignored, says the specification. */
const xdg = (path: string | undefined): string | undefined => (path?.startsWith('/') ? path : undefined);
