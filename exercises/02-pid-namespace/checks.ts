// What the kernel must show of the boxes of exercise 2.
import { type NamespaceName, namespaceInode } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';
import { mountsOutside, newMounts, toldMounts } from '../../learn/grader/outside.ts';

const OTHERS: NamespaceName[] = ['mnt', 'net', 'uts', 'ipc', 'user', 'cgroup'];

export const exercise: Exercise = {
  tasks: [
    {
      id: 'number-1',
      title: 'A command that is number 1',
      points: 2,
      file: 'number-1.ts',
      check: checkNumber1,
    },
    { id: 'own-ps', title: 'A ps that tells the truth', points: 4, file: 'own-ps.ts', check: checkOwnPs },
  ],
};

/** Starts a box with `sleep N`. @returns the pid of the sleep, as the machine numbers it */
async function sleeping(lab: Lab): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  const running = await lab.start(argv);
  const pid = await lab.find(argv, { running });
  lab.promise('starts', pid !== undefined, {
    promised: `it runs the command, ${argv.join(' ')}`,
    seen: 'there is no such process',
    look: 'the messages on stderr',
  });
  return pid!;
}

async function checkNumber1(lab: Lab): Promise<void> {
  const code = lab.random.integer(1, 100);
  const ran = await lab.run(['sh', '-c', `echo $$; exit ${code}`]);
  lab.promise('is-number-1', ran.stdout.trim() === '1', {
    promised: 'the command is process 1 of its pid namespace: sh -c "echo $$" prints 1',
    seen: ending(ran),
    look: 'the flags of clone(); pid_namespaces(7)',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'where the number from statusOf() goes: process.exitCode',
  });
  const pid = await sleeping(lab);
  const changed = OTHERS.filter(name => namespaceInode(pid, name) !== namespaceInode(lab.sandbox.pid, name));
  lab.promise('nothing-else', changed.length === 0, {
    promised: 'only the pid namespace is new',
    seen: `these are new as well: ${changed.join(', ')}`,
    look: 'readlink /proc/PID/ns/*, inside and outside; the flags of clone()',
  });
}

async function checkOwnPs(lab: Lab): Promise<void> {
  const before = mountsOutside(lab);
  const ran = await lab.run(['sh', '-c', 'echo $$; cd /proc; echo [0-9]*']);
  const [number, pids = ''] = ran.stdout.split('\n');
  lab.promise('is-number-1', number === '1', {
    promised: 'the command is process 1 of its pid namespace',
    seen: ending(ran),
    look: 'the flags of clone(); pid_namespaces(7)',
  });
  lab.promise('sees-itself', pids === '1', {
    promised: 'in the box, /proc shows only the box: process 1',
    seen: `the processes in /proc are ${quote(pids)}`,
    look: 'which process mounted the /proc in the box: grep proc /proc/self/mountinfo',
  });
  const pid = await sleeping(lab);
  const seen = await lab.command(['test', '-d', `/proc/${lab.insidePid(pid)}`]);
  const more = newMounts(lab, before);
  lab.promise('outside-untouched', seen.code === 0 && more.length === 0, {
    promised: 'outside, /proc shows the same as before',
    seen: `${toldMounts(more)}${seen.code === 0 ? '' : ', and the box is not in /proc'}`,
    look: 'CLONE.NEWNS, and the propagation of mounts: the word "shared:" in /proc/self/mountinfo; mount_namespaces(7)',
  });
}
