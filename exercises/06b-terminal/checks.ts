// What the program of exercise 6b must do for its command's terminal.
import { readStat, SIG } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'on-a-pty', title: 'A terminal of its own', points: 3, file: 'on-a-pty.ts', check: checkOnAPty },
    { id: 'reached', title: 'Where Ctrl-C goes', points: 3, file: 'reached.ts', check: checkReached },
    {
      id: 'foreground',
      title: 'A job in the foreground',
      points: 4,
      file: 'foreground.ts',
      check: checkForeground,
    },
  ],
};

async function checkOnAPty(lab: Lab): Promise<void> {
  const { random } = lab;
  const [rows, columns] = [random.integer(10, 60), random.integer(61, 200)];
  const size = `${rows}x${columns}`;
  const code = random.integer(1, 100);
  const file = `/tmp/${random.word()}`;
  const terminals = `for n in 0 1 2; do test -t $n && echo $n >> ${file}; done; stty size`;
  const ran = await lab.run([size, 'sh', '-c', `${terminals}; exit ${code}`]);
  const streams = (await lab.command(['cat', file])).stdout.trim().replaceAll('\n', ', ');
  lab.promise('is-a-terminal', streams === '0, 1, 2', {
    promised: 'the descriptors 0, 1 and 2 of the command are a terminal',
    seen: streams === '' ? `none of them is, and ${ending(ran)}` : `only these are: ${streams}`,
    look: 'did a step fail? TIOCSCTTY works only for a session leader; and dup3(), three times',
  });
  lab.promise('size', ran.stdout.trim() === `${rows} ${columns}`, {
    promised: `stty size prints ${quote(`${rows} ${columns}`)}`,
    seen: ending(ran),
    look: 'the argument of openPty()',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `the exit code is the command's, ${code}`,
    seen: ending(ran),
    look: 'process.exitCode',
  });
  const ready = `/tmp/${random.word()}`;
  const typing = ['sh', '-c', `(until test -e ${ready}; do sleep 0.05; done; printf '\\003') | "$@"`, 'sh'];
  const waits = ['sh', '-c', `touch ${ready}; sleep 4; exit 9`];
  const interrupted = await lab.run([size, ...waits], { wrapper: typing });
  lab.promise('ctrl-c', interrupted.code === 128 + SIG.INT, {
    promised: 'Ctrl-C, typed while the command runs, ends it with 130',
    seen: ending(interrupted),
    look: 'whether the terminal controls its session: setsid(2), TIOCSCTTY in ioctl_tty(2)',
  });
}

async function checkReached(lab: Lab): Promise<void> {
  const { random } = lab;
  const number = random.integer(1_000_000, 9_000_000);
  const sleepers = [0, 1, 2, 3, 4].map(each => ['sleep', String(number + each)]);
  const [background, first, last, apart, lone] = sleepers.map(argv => argv.join(' '));
  // With `set -m` a shell gives each job a process group of its own, and the last one is in the foreground.
  const script = `set -m; ${background} & setsid ${apart} & ${first} </dev/null | ${last} >/dev/null 2>&1`;
  await lab.arrangeAtTerminal(['sh', '-c', script]);
  await lab.arrange(['sh', '-c', `exec ${lone}`]);
  const found = await Promise.all(sleepers.map(argv => lab.find(argv)));
  if (found.includes(undefined)) throw new Error('the jobs at the terminal do not start');
  const pids = found.map(pid => String(lab.insidePid(pid!)));
  const foreground = [pids[1]!, pids[2]!];
  const cases = [
    { check: 'foreground', of: foreground[1]!, what: 'a job in the foreground', reached: foreground },
    { check: 'background', of: pids[0]!, what: 'a job in the background', reached: foreground },
    {
      check: 'no-terminal',
      of: random.pick([pids[3]!, pids[4]!]),
      what: 'a process without a terminal',
      reached: [],
    },
  ];
  for (const { check, of, what, reached } of cases) {
    const ran = await lab.run([of]);
    const printed = ran.stdout.split('\n').filter(line => line !== '');
    lab.promise(check, ran.code === 0 && printed.sort().join() === [...reached].sort().join(), {
      promised: `for ${what} (${of}) it prints ${reached.length > 0 ? reached.join(' and ') : 'nothing'}`,
      seen: ending(ran),
      look: 'pgrp and tpgid in /proc/PID/stat: ps -o pid,pgid,tpgid,args -e',
    });
  }
}

async function checkForeground(lab: Lab): Promise<void> {
  const { random } = lab;
  const [ready, word, got] = [random.word(), random.word(), random.word()];
  const code = random.integer(1, 100);
  const argv = ['sleep', String(random.integer(1_000_000, 9_000_000))];
  const script = `trap 'exit ${code}' INT; echo ${ready}; read -r line; echo "${got}$line"; ${argv.join(' ')}`;
  const terminal = await lab.atTerminal(['sh', '-c', script]);
  const started = await terminal.shows(ready);
  terminal.type(`${word}\n`);
  lab.promise('reads', started && (await terminal.shows(`${got}${word}`)), {
    promised: 'the command starts, and reads what is typed',
    seen: `the screen shows ${quote(terminal.screen)}`,
    look: 'a group in the background is stopped when it reads from the terminal: SIGTTIN, in signal(7)',
  });
  const stat = readStat((await lab.find(argv)) ?? -1);
  const own = readStat(terminal.pid);
  lab.promise('own-group', stat?.processGroup !== own?.processGroup, {
    promised: 'the command is in a process group of its own',
    seen: "it is in our program's",
    look: 'setpgid(2)',
  });
  lab.promise('same-session', stat?.session === own?.session, {
    promised: "the command stays in our program's session",
    seen: 'it is in another one',
    look: 'setsid(2) is not needed',
  });
  terminal.type('\x03');
  const ended = await terminal.ended;
  lab.promise('ctrl-c', ended.code === code, {
    promised: `Ctrl-C reaches the command alone, which then exits with ${code}, and so does our program`,
    seen: `our program ended with ${ended.code}`,
    look: 'which group is in the foreground: TIOCSPGRP, in ioctl_tty(2)',
  });
}
