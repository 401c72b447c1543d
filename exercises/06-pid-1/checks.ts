// What the programs of exercise 6 must do for signals and orphans.
import { readStat, readStatus, SIG } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { programOf } from '../../learn/grader/held-clone.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'deaf', title: 'Signals that have no effect', points: 3, file: 'deaf.ts', check: checkDeaf },
    {
      id: 'guardian',
      title: 'A guardian that stays until all are gone',
      points: 5,
      file: 'guardian.ts',
      check: checkGuardian,
    },
  ],
};

const NAMES = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM'] as const;
type Name = (typeof NAMES)[number];

function isIn(set: bigint, name: Name): boolean {
  return (set & (1n << BigInt(SIG[name] - 1))) !== 0n;
}

/** Starts a shell that has handlers for some signals and ignores others. @returns its pid on this machine */
async function shell(
  lab: Lab,
  { before, caught, ignored }: { before: string[]; caught: readonly Name[]; ignored: readonly Name[] },
): Promise<number> {
  const script = `trap : ${caught.join(' ')}; trap '' ${ignored.join(' ')}; while :; do sleep 1000; done`;
  const argv = ['sh', '-c', script, lab.random.word()];
  void lab.command([...before, ...argv], { timeout: 60_000 });
  const pid = await lab.find(argv);
  const isReady = (): boolean => {
    const set = pid === undefined ? undefined : readStatus(pid)?.signals;
    return (
      set !== undefined &&
      caught.every(name => isIn(set.caught, name)) &&
      ignored.every(name => isIn(set.ignored, name))
    );
  };
  if (!(await lab.until(isReady))) throw new Error('a shell with traps does not start');
  return pid!;
}

async function checkDeaf(lab: Lab): Promise<void> {
  const { random } = lab;
  // One or more signals with a handler, one ignored, one or more with neither.
  // A shell has a handler of its own for INT.
  const neither = random.pick(NAMES.filter(name => name !== 'INT'));
  const ignored = [random.pick(NAMES.filter(name => name !== neither))];
  const caught = random.some(NAMES.filter(name => name !== neither && !ignored.includes(name)));
  const number1 = await shell(lab, { before: ['unshare', '--pid', '--fork'], caught, ignored });
  const wanted = NAMES.filter(name => !isIn(readStatus(number1)!.signals.caught, name));
  const told = await lab.run([String(lab.insidePid(number1))]);
  lab.promise('number-1', told.stdout.trim() === wanted.join('\n'), {
    promised: `a number 1 that has handlers for ${caught.join(', ')} does not receive ${wanted.join(', ')}`,
    seen: ending(told),
    look: 'number 1 receives only the signals in SigCgt; NSpid in /proc/PID/status shows whether a process is number 1; pid_namespaces(7)',
  });
  const ordinary = await shell(lab, { before: [], caught, ignored });
  const deafTo = NAMES.filter(name => isIn(readStatus(ordinary)!.signals.ignored, name));
  const also = await lab.run([String(lab.insidePid(ordinary))]);
  lab.promise('others', also.stdout.trim() === deafTo.join('\n'), {
    promised: `only the signals that it ignores have no effect on an ordinary process: ${deafTo.join(', ') || 'none'}`,
    seen: ending(also),
    look: 'without a handler, a signal has its default effect, which is to end the process: signal(7)',
  });
}

async function checkGuardian(lab: Lab): Promise<void> {
  const { random } = lab;
  const code = random.integer(1, 100);
  const late = `/tmp/${random.word()}`;
  const orphan = `sh -c "sleep 1.5; echo late > ${late}"`;
  const ran = await lab.run(['sh', '-c', `(${orphan} >/dev/null 2>&1 &); exit ${code}`]);
  const found = await lab.command(['cat', late]);
  lab.promise('waits-for-all', found.stdout === 'late\n', {
    promised: 'it ends only after every process that the command has left behind',
    seen: `an orphan was still running, and ${ending(ran)}`,
    look: 'PR_SET_CHILD_SUBREAPER, which decides where orphans go; and does it wait again, until no child is left?',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'the buffer into which the later waits write',
  });
  const argv = ['sleep', String(random.integer(1_000_000, 9_000_000))];
  const orphans = '(sleep 0.1 &); '.repeat(random.integer(2, 4));
  const stays = ['sleep', String(random.integer(1_000_000, 9_000_000))];
  const running = await lab.start(['sh', '-c', `${orphans}(${stays.join(' ')} &); exec ${argv.join(' ')}`]);
  const pid = await lab.find(argv, { running });
  // To wait for long enough is not to wait for an orphan.
  const left = await lab.find(stays, { running });
  const isOurs = (): boolean => {
    const [parent, guardian] = [left && readStat(left)?.ppid, programOf(running.pid)];
    return parent !== undefined && guardian !== undefined && programOf(parent) === guardian;
  };
  lab.promise('adopts', await lab.until(isOurs, 3000), {
    promised: 'an orphan of the command becomes a child of the guardian',
    seen: left === undefined ? 'the orphan does not run' : "it is a child of the machine's process 1",
    look: 'PR_SET_CHILD_SUBREAPER: whose children do orphans become? ps -o pid,ppid,args',
  });
  const dead = await zombies(lab);
  lab.promise('no-zombies', pid !== undefined && dead.length === 0, {
    promised: 'while the command runs, the guardian reaps orphans that have ended',
    seen: pid === undefined ? 'the command does not run' : `there are ${dead.length} zombies`,
    look: 'which children the first wait waits for; ps -o pid,ppid,stat,args',
  });
}

/** The zombies that remain once the orphans have had time to end. */
async function zombies(lab: Lab): Promise<number[]> {
  const dead = (): number[] => lab.sandbox.processes().filter(each => readStatus(each)?.state === 'Z');
  await lab.until(
    async () => dead().length === 0 && (await lab.find(['sleep', '0.1'], { timeout: 0 })) === undefined,
    3000,
  );
  return dead();
}
