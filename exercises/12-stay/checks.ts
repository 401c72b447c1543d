// The checks of exercise 12: processes that stay, and processes that are to end.
import { readlinkSync } from 'node:fs';
import { processIdentity, readStat, readStatus, SIG } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'alive', title: 'Is it still the same process?', points: 3, file: 'alive.ts', check: checkAlive },
    { id: 'stop', title: 'TERM, wait, KILL', points: 4, file: 'stop.ts', check: checkStop },
    { id: 'stay', title: 'A command that stays', points: 3, file: 'stay.ts', check: checkStay },
  ],
};

function sleeping(lab: Lab): string[] {
  return ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
}

async function checkAlive(lab: Lab): Promise<void> {
  const [parent, child] = [sleeping(lab), sleeping(lab)];
  // The shell becomes the first sleep, which does not know that it has a child and never waits for it.
  void lab.command(['sh', '-c', `${child.join(' ')} & exec ${parent.join(' ')}`], { timeout: 60_000 });
  const [pid, childPid] = [await lab.find(parent), await lab.find(child)];
  if (pid === undefined || childPid === undefined) throw new Error('a process to look at did not start');
  const identity = (of: number): object => ({ ...processIdentity(of), pid: lab.insidePid(of) });
  const ask = async (record: object): Promise<{ said: string; seen: string }> => {
    const file = `/tmp/${lab.random.word()}.json`;
    await lab.command(['sh', '-c', `echo '${JSON.stringify(record)}' > ${file}`]);
    const told = await lab.run([file]);
    return { said: told.stdout.trim(), seen: ending(told) };
  };
  const right = await ask(identity(pid));
  lab.promise('alive', right.said === 'alive', {
    promised: 'for a process that exists it prints alive',
    seen: right.seen,
    look: 'compare pid, startTime and bootId: sameProcess()',
  });
  const startTime = readStat(pid)!.startTime - lab.random.integer(1, 500);
  const reused = await ask({ ...identity(pid), startTime });
  lab.promise('other-process', reused.said === 'gone', {
    promised: 'it prints gone if a process that started at another time now has the pid',
    seen: reused.seen,
    look: 'starttime in /proc/PID/stat; proc_pid_stat(5)',
  });
  const bootId = `${lab.random.integer(10_000_000, 99_999_999)}-cede-4b1d-9e4e-22f1c5f0d9a1`;
  const rebooted = await ask({ ...identity(pid), bootId });
  lab.promise('other-boot', rebooted.said === 'gone', {
    promised: 'it prints gone if the machine has rebooted since: pids and clock ticks start again',
    seen: rebooted.seen,
    look: '/proc/sys/kernel/random/boot_id',
  });
  const before = identity(childPid);
  process.kill(childPid, SIG.KILL);
  await lab.until(() => readStatus(childPid)?.state === 'Z');
  const zombie = await ask(before);
  lab.promise('zombie', zombie.said === 'gone', {
    promised: 'an exited process counts as gone, even as an unreaped zombie',
    seen: zombie.seen,
    look: 'state in /proc/PID/stat: Z is a zombie',
  });
}

async function checkStop(lab: Lab): Promise<void> {
  const file = `/tmp/${lab.random.word()}`;
  const [polite, stubborn, lateOne] = [sleeping(lab), sleeping(lab), lab.random.integer(300, 600)];
  const start = async (trap: string, argv: string[]): Promise<number> => {
    const script = `trap '${trap}' TERM; ${argv.join(' ')} & while :; do wait; done`;
    const shell = ['sh', '-c', script];
    void lab.command(shell, { timeout: 60_000 });
    if ((await lab.find(argv)) === undefined) throw new Error('a process to stop did not start');
    return (await lab.find(shell))!;
  };
  const pid = await start(`sleep 0.${lateOne}; echo tidy > ${file}; exit`, polite);
  const given = Math.ceil(lab.patient(5));
  const asked = await lab.run([`${lab.insidePid(pid)}`, `${given}`]);
  const returned = Date.now() / 1000;
  const tidy = await lab.command(['cat', file]);
  const written = await lab.command(['stat', '--format=%.3Y', file]);
  const late = returned - Number(written.stdout);
  lab.promise('asked', tidy.stdout === 'tidy\n' && asked.stdout.trim() === 'TERM', {
    promised: `a process that exits 0.${lateOne} s after SIGTERM is given that time, and TERM is printed`,
    seen: `it ${tidy.stdout === '' ? 'did not have' : 'had'} the time, and ${ending(asked)}`,
    look: 'send SIGKILL only when the seconds are over, and return only when the process has ended',
  });
  lab.promise('at-once', late < given * 0.6, {
    promised: `it returns as soon as the process has ended, without waiting for all of the ${given} seconds`,
    seen: `it returned ${late.toFixed(1)} s after the process had ended`,
    look: 'wait for the process to end, for at most the seconds',
  });
  const deaf = await start('', stubborn);
  const killed = await lab.run([`${lab.insidePid(deaf)}`, '1']);
  const state = readStatus(deaf)?.state;
  const gone = state === undefined || state === 'Z';
  lab.promise('killed', gone && killed.stdout.trim() === 'KILL', {
    promised: 'a process that ignores SIGTERM is killed after 1 second, and KILL is printed',
    seen: `it ${gone ? 'has ended' : 'still runs'}, and ${ending(killed)}`,
    look: 'what does your program do when the time is up?',
  });
}

async function checkStay(lab: Lab): Promise<void> {
  const log = `/tmp/${lab.random.word()}`;
  const [early, late] = [lab.random.word(), lab.random.word()];
  const stays = sleeping(lab);
  const script = `echo ${early}; sleep 0.3; echo ${late} >&2; exec ${stays.join(' ')}`;
  const told = await lab.run([log, 'sh', '-c', script]);
  const pid = await lab.find(stays, { timeout: 5000 });
  lab.promise('stays', pid !== undefined && told.stdout.trim() === `${lab.insidePid(pid)}`, {
    promised: 'the program prints the pid of the command and ends, and the command keeps running',
    seen: `${pid === undefined ? 'the command is gone' : `the command has pid ${lab.insidePid(pid)}`}, and ${ending(told)}`,
    look: 'what does the program wait for, and what does the command inherit from it?',
  });
  lab.promise('session', readStat(pid!)?.session === pid, {
    promised: 'the command leads a session of its own',
    seen: 'it is in the session of the process that started it, and ends when the terminal is closed',
    look: "setsid(2); spawn's option detached",
  });
  const input = readlinkSync(`/proc/${pid}/fd/0`);
  lab.promise('input', input === '/dev/null', {
    promised: 'its stdin is /dev/null',
    seen: `it is ${input}`,
    look: "the first entry of stdio; 'ignore' means /dev/null",
  });
  const { stdout } = await lab.command(['cat', log]);
  lab.promise('output', stdout === `${early}\n${late}\n`, {
    promised: `the file contains what the command wrote to stdout and, later, to stderr: ${quote(`${early}\n${late}\n`)}`,
    seen: `it contains ${quote(stdout)}`,
    look: 'where do descriptors 1 and 2 of the command lead? readlink /proc/PID/fd/2',
  });
}
