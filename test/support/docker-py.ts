import { spawnSync } from 'node:child_process';

/** A Python that has docker-py: Debian's, or whichever comes first in the PATH. */
export const dockerPython = ['/usr/bin/python3', 'python3'].find(
  each => spawnSync(each, ['-c', 'import docker'], { stdio: 'ignore' }).status === 0,
);
