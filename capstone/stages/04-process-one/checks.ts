import { namespaceOf, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const first = await shell(lab, 'echo $$');
    lab.promise('number-one', first.stdout === '1\n', {
      promised: 'the command is process 1: echo $$ prints 1',
      seen: ending(first),
      look: 'CLONE_NEWPID, which is for children: who has to fork?',
    });
    const { pid } = await waiting(lab);
    lab.promise('pid-namespace', namespaceOf(pid, 'pid') !== namespaceOf(lab.sandbox.pid, 'pid'), {
      promised: 'the container has a pid namespace of its own',
      seen: 'it is in that of the machine',
      look: 'CLONE_NEWPID',
    });
    const stranger = ['sleep', `${lab.random.integer(1_000_000, 9_000_000)}`];
    await lab.arrange(stranger);
    const listed = await shell(lab, 'ps -o pid,args');
    const lines = listed.stdout.trim().split('\n').slice(1);
    lab.promise('own-proc', lines.length > 0 && lines.length <= 4 && !listed.stdout.includes(stranger[1]!), {
      promised: 'ps in the container lists its own processes, and not those of the machine',
      seen: ending(listed),
      look: 'a new proc file system on /proc of the container: it shows the pid namespace of the process that mounts it',
    });
    const orphans = ['sleep', `${lab.random.integer(1_000_000, 9_000_000)}`];
    const ended = await shell(lab, `${orphans.join(' ')} & exit 0`);
    const left = await lab.find(orphans, { timeout: 500 });
    lab.promise('all-end', ended.code === 0 && left === undefined, {
      promised: 'when process 1 ends, the kernel ends all others in the container',
      seen: left === undefined ? ending(ended) : `${orphans.join(' ')} still runs`,
      look: 'is the command really process 1, or is another process between?',
    });
  },
};
