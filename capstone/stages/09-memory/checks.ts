import { existsSync } from 'node:fs';
import { SIG } from '#linux';
import { groupFile, groupSetting, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

const LIMIT = { v1: 'memory.limit_in_bytes', v2: 'memory.max' };

export const stage: Checks = {
  async check(lab) {
    const megabytes = lab.random.integer(20, 60);
    const { pid, client } = await waiting(lab, ['--memory', `${megabytes}m`]);
    const limit = groupSetting(pid, 'memory', LIMIT);
    lab.promise('limit', Number(limit) === megabytes * 2 ** 20, {
      promised: `--memory ${megabytes}m: the control group's ${LIMIT.v1} (v1) or ${LIMIT.v2} (v2) is ${megabytes * 2 ** 20}`,
      seen: `it is ${limit ?? 'not there'}`,
      look: 'a directory of its own below /sys/fs/cgroup, and the process in it before it executes anything',
    });
    const file = groupFile(pid, 'memory', LIMIT)!;
    process.kill(pid, SIG.KILL);
    await client.ended;
    lab.promise('group-removed', await lab.until(() => !existsSync(file), 5000), {
      promised: 'when the container has ended, its control group is removed',
      seen: 'it is still there',
      look: 'rmdir(2) of the directory, when no process is in it any more',
    });
    const kilobytes = await waiting(lab, ['-m', `${megabytes * 1024}k`]);
    const same = groupSetting(kilobytes.pid, 'memory', LIMIT);
    kilobytes.client.kill();
    lab.promise('units', Number(same) === megabytes * 2 ** 20, {
      promised: `-m ${megabytes * 1024}k is the same limit, ${megabytes * 2 ** 20}`,
      seen: `it is ${same ?? 'not there'}`,
      look: 'k, m and g are powers of 1024',
    });
    const eaten = await shell(lab, 'tail /dev/zero', ['--memory', `${megabytes}m`]);
    lab.promise('enforced', eaten.code === 137, {
      promised: `a command that uses more memory is killed, and run exits with 137`,
      seen: ending(eaten),
      look: 'memory.swap.max or memory.memsw.limit_in_bytes: without them it swaps',
    });
    const other = await waiting(lab);
    lab.promise('own-group', groupSetting(other.pid, 'memory', LIMIT) !== `${megabytes * 2 ** 20}`, {
      promised: 'a container without --memory does not have the limit of another',
      seen: 'it has',
      look: 'the name of the control group: is it unique?',
    });
  },
};
