// What the programs of exercise 0 must tell, whatever namespaces the processes are in that they are asked about.
import { readStat } from '#linux';
import { kinds } from '../../chapters/00-machine/namespaces.ts';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

/** unshare(1) makes these in a sandbox without further ado. */
const FLAGS = { cgroup: '--cgroup', ipc: '--ipc', mnt: '--mount', net: '--net', uts: '--uts' } as const;
const FLAG_KINDS = Object.keys(FLAGS) as (keyof typeof FLAGS)[];

export const exercise: Exercise = {
  tasks: [
    {
      id: 'same',
      title: 'Which namespaces two processes share',
      points: 2,
      file: 'same.ts',
      check: checkSame,
    },
    {
      id: 'strangers',
      title: 'Processes in other namespaces than process 1',
      points: 3,
      file: 'strangers.ts',
      check: checkStrangers,
    },
  ],
};

/** A process in new namespaces of these kinds. @returns its pid as the sandbox knows it */
async function sleeper(lab: Lab, unshared: readonly (keyof typeof FLAGS)[]): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  void lab.command(['unshare', ...unshared.map(kind => FLAGS[kind]), ...argv], { timeout: 60_000 });
  const pid = await lab.find(argv);
  if (pid === undefined) throw new Error('unshare(1) does not start');
  return lab.insidePid(pid)!;
}

/** A process that has ended, and whose parent will never wait for it. */
async function ended(lab: Lab): Promise<void> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  await lab.arrange(['sh', '-c', `true & exec ${argv.join(' ')}`]);
  const parent = await lab.find(argv);
  const isDead = (pid: number): boolean => readStat(pid)?.ppid === parent && readStat(pid)?.state === 'Z';
  if (!(await lab.until(() => lab.sandbox.processes().some(isDead)))) throw new Error('no process ends');
}

async function checkSame(lab: Lab): Promise<void> {
  // Each has one that the other has not, and at least one is shared by both.
  const unshared = withoutOne(lab);
  const one = lab.random.some(unshared);
  const two = unshared.filter(kind => !one.includes(kind));
  const pids = [await sleeper(lab, one), await sleeper(lab, two)].map(String);
  const shared = kinds.filter(kind => ![...one, ...two].some(each => each === kind));
  const told = (await lab.run(pids)).stdout.split('\n').filter(line => line !== '');
  lab.promise('tells-shared', same(told, shared), {
    promised: `of two processes with new ${one.join(', ')} here and new ${two.join(', ')} there it prints ${quote(shared.join(' '))}`,
    seen: `it printed ${quote(told.join(' '))}`,
    look: 'what readlink /proc/PID/ns/KIND shows for both; namespaces(7)',
  });
  const itself = (await lab.run([pids[0]!, pids[0]!])).stdout.split('\n').filter(line => line !== '');
  lab.promise('compares-the-two', same(itself, kinds), {
    promised: 'a process shares all its namespaces with itself',
    seen: `for the same pid twice it printed ${quote(itself.join(' '))}`,
    look: 'which two processes are compared: neither of them is your own program',
  });
}

function withoutOne(lab: Lab): (keyof typeof FLAGS)[] {
  const left = lab.random.pick(FLAG_KINDS);
  return FLAG_KINDS.filter(kind => kind !== left);
}

async function checkStrangers(lab: Lab): Promise<void> {
  const kind = lab.random.pick(FLAG_KINDS);
  const other = lab.random.pick(FLAG_KINDS.filter(each => each !== kind));
  const strangers = [await sleeper(lab, [kind]), await sleeper(lab, [kind, other])];
  await sleeper(lab, [other]);
  await ended(lab);
  const wanted = strangers.sort((a, b) => a - b).map(String);
  const ran = await lab.run([kind]);
  lab.promise('survives-the-ended', !/\bE(NOENT|SRCH|ACCES)\b/.test(ran.stderr), {
    promised: 'a process that has ended, and has not been waited for yet, does not stop it',
    seen: ending(ran),
    look: 'what readlink does for a process that is in no namespace any more',
  });
  lab.promise('finds-them', ran.code === 0 && same(lines(ran.stdout), wanted), {
    promised: `with processes ${wanted.join(' and ')} in new ${kind} namespaces it prints just these`,
    seen: ending(ran),
    look: `readlink /proc/*/ns/${kind}`,
  });
  // Started in a namespace of its own, it is a stranger itself, and unshare has become node: there is one of them.
  const running = await lab.start([kind], { wrapper: ['unshare', FLAGS[kind]] });
  const itself = lab.insidePid(running.pid)!;
  const apart = lines((await running.ended).stdout);
  const withItself = [...wanted.map(Number), itself].sort((a, b) => a - b).map(String);
  lab.promise('compares-with-1', same(apart, withItself), {
    promised: `it compares with process 1 even when it is started in a namespace of its own, and then finds itself too: ${withItself.join(' ')}`,
    seen: `started by unshare ${FLAGS[kind]} it printed ${quote(apart.join(' '))}`,
    look: 'which process the others are compared with',
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter(line => line !== '');
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
