// The command `learn` with a work folder of the test's own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../learn/repository.ts';

export function learn(work: string, ...args: string[]) {
  const { stdout, stderr, status } = spawnSync(join(repository, 'bin/learn'), args, {
    encoding: 'utf8',
    env: { ...process.env, LEARN_WORK: work, NO_COLOR: '1' },
  });
  return { stdout, stderr, status };
}
