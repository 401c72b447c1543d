// What the programs of exercise 1 must do, looked at in the files that they leave.
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
  const fresh = `/tmp/${random.word()}`;
  await lab.run([fresh, 'echo', out]);
  lab.promise('makes-the-file', (await contents(lab, fresh)) === `${out}\n`, {
    promised: 'a file that was not there is made',
    seen: `${fresh} is ${(await contents(lab, fresh)) === undefined ? 'not there' : 'something else'}`,
    look: 'the flags that the file is opened with; open(2), O_CREAT',
  });
}

async function checkPidFile(lab: Lab): Promise<void> {
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
