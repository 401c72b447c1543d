// What the programs of exercise 1 must do, looked at in the files that they leave.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStat } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    {
      id: 'redirect',
      title: 'A command with its output in a file',
      points: 2,
      file: 'redirect.ts',
      check: checkRedirect,
    },
    {
      id: 'pid-file',
      title: 'A pid, written down in time',
      points: 3,
      file: 'pid-file.ts',
      check: checkPidFile,
    },
  ],
};

async function contents(lab: Lab, file: string): Promise<string | undefined> {
  const { code, stdout } = await lab.command(['cat', file]);
  return code === 0 ? stdout : undefined;
}

async function checkRedirect(lab: Lab): Promise<void> {
  const { random } = lab;
  const file = `/tmp/${random.word()}`;
  const [out, err] = [random.word(), random.word()];
  const code = random.integer(1, 100);
  await lab.command(['sh', '-c', `echo ${'what was there before '.repeat(5)} > ${file}`]);
  const ran = await lab.run([file, 'sh', '-c', `echo ${out}; echo ${err} >&2; exit ${code}`]);
  const written = await contents(lab, file);
  lab.promise('output-in-file', written?.startsWith(`${out}\n`) === true, {
    promised: `the command's output, ${quote(out)}, is in the file`,
    seen: `the file begins with ${quote(written?.slice(0, 40) ?? 'nothing: there is no file')}, and ${ending(ran)}`,
    look: 'the steps before the program: do they open the file, and make it descriptor 1? dup(2)',
  });
  lab.promise('errors-stay', ran.stderr === `${err}\n`, {
    promised: `what the command writes on stderr, ${quote(err)}, stays on stderr`,
    seen: `on stderr there is ${quote(ran.stderr)}`,
    look: 'which descriptors become the file: 1 is stdout, 2 is stderr',
  });
  lab.promise('only-its-output', written === `${out}\n`, {
    promised: 'what was in the file before is gone',
    seen: `the file contains ${quote(written!)}`,
    look: 'the flags that the file is opened with; open(2), O_TRUNC',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'process.exitCode',
  });
  await checkChildOpens(lab);
  const fresh = `/tmp/${random.word()}`;
  await lab.run([fresh, 'echo', out]);
  lab.promise('makes-the-file', (await contents(lab, fresh)) === `${out}\n`, {
    promised: 'a file that was not there is made',
    seen: `${fresh} is ${(await contents(lab, fresh)) === undefined ? 'not there' : 'something else'}`,
    look: 'the flags that the file is opened with; open(2), O_CREAT',
  });
}

/** Opening a FIFO waits until another process opens it for reading. Until then the check can see which process opens it. */
async function checkChildOpens(lab: Lab): Promise<void> {
  const file = `/tmp/${lab.random.word()}`;
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  await lab.command(['mkfifo', file]);
  const running = await lab.start([file, ...argv]);
  const child = await lab.childOf(running);
  await lab.arrange(['cat', file]);
  const command = child === undefined ? undefined : await lab.find(argv, { running });
  const holders = command === undefined ? [] : openedFiles(running.pid);
  lab.promise('child-opens', command !== undefined && !holders.includes(file), {
    promised: 'the file is opened by the child, in its list of steps',
    seen:
      child === undefined
        ? 'the program opens it before there is a child'
        : `after clone() the program itself has ${file} open`,
    look: 'openSync() is a call of the parent; openat() can be a step of the child, and dup3() take its result',
  });
  running.kill();
}

function openedFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).map(fd => {
    try {
      return readlinkSync(`${directory}/${fd}`);
    } catch {
      return '';
    }
  });
}

async function checkPidFile(lab: Lab): Promise<void> {
  await checkParentFirst(lab);
  const { random } = lab;
  const file = `/tmp/${random.word()}`;
  const code = random.integer(1, 100);
  const ran = await lab.run([file, 'sh', '-c', `cat ${file}; echo $$; exit ${code}`]);
  const [first = '', second = ''] = ran.stdout.split('\n');
  lab.promise('written-in-time', second !== '', {
    promised: 'the file is there before the command begins',
    seen: `cat could not read it; in all, ${ending(ran)}`,
    look: 'does the child wait for the parent? Its first step can be a read() from the pipe',
  });
  lab.promise('its-own-pid', first === second, {
    promised: `the file contains the command's pid, ${second}`,
    seen: `it contains ${quote(first)}`,
    look: "whose pid that is: JavaScript's process.pid is the parent's",
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'process.exitCode',
  });
}

/** Opening a FIFO for writing waits until another process reads from it. Until then the command must not begin. */
async function checkParentFirst(lab: Lab): Promise<void> {
  const file = `/tmp/${lab.random.word()}`;
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  await lab.command(['mkfifo', file]);
  const running = await lab.start([file, ...argv]);
  const child = await lab.childOf(running);
  await resting(child);
  // Waiting for a while is not waiting for the parent, however long the while is.
  const waitsForClock = child !== undefined && lab.sandbox.processes().some(pid => sleepsBelow(child, pid));
  const early = await lab.find(argv, { timeout: 1000, running });
  // It may also have put a new file in the place of this one, and then there is nothing to wait for.
  const { stdout } = await lab.command(['sh', '-c', `test -p ${file} && echo waits`]);
  lab.promise('waits-for-the-parent', (early === undefined && !waitsForClock) || stdout === '', {
    promised: 'the command begins only when the pid is written, however long that takes',
    seen: waitsForClock
      ? 'the child waits for some time to pass'
      : `${argv.join(' ')} was running while the file was still being written`,
    look: 'the first step of the child: it can be a read() from the pipe, which the parent writes to when it is done',
  });
  await lab.arrange(['cat', file]);
  const pid = await lab.find(argv, { timeout: 5000, running });
  lab.promise('goes-on', pid !== undefined, {
    promised: 'when the pid is written, the command begins',
    seen: 'it does not run',
    look: 'what the parent does after it has written the file: the child waits for a byte in the pipe',
  });
  running.kill();
}

/** Whether a process, which is this child or the child's own, sleeps until a time. proc_pid_wchan(5) */
function sleepsBelow(child: number, pid: number): boolean {
  if (pid !== child && readStat(pid)?.ppid !== child) return false;
  try {
    return readFileSync(`/proc/${pid}/wchan`, 'utf8').includes('nanosleep');
  } catch {
    return false;
  }
}

/** Until a process has nothing to do: it waits, or it has ended. */
async function resting(pid: number | undefined): Promise<void> {
  for (let times = 0; pid !== undefined && times < 5; await sleep(20)) {
    const state = readStat(pid)?.state;
    times = state === 'R' || state === 'D' ? 0 : times + 1;
  }
}
