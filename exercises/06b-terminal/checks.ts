// What the program of exercise 6b must do for its command's terminal.
import { SIG } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab, quote } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'on-a-pty', title: 'A terminal of its own', points: 3, file: 'on-a-pty.ts', check: checkOnAPty },
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
