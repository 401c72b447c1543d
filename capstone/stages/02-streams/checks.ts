import { SIG } from '#linux';
import { waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [out, err, text] = [random.word(), random.word(), `${random.word()}\n${random.word()}\n`];
    const both = await lab.run(['run', 'busybox', 'sh', '-c', `echo ${out}; echo ${err} >&2`]);
    lab.promise('two-streams', both.stdout === `${out}\n` && both.stderr === `${err}\n`, {
      promised: `${out} is written to stdout, and ${err} to stderr, and nothing else is`,
      seen: `stdout is ${quote(both.stdout)}, and stderr is ${quote(both.stderr)}`,
      look: 'descriptors 1 and 2 of the command; messages of your own',
    });
    const fed = await lab.run(['run', '-i', 'busybox', 'cat'], { input: text });
    lab.promise('stdin', fed.stdout === text, {
      promised: `run -i busybox cat prints what it is fed: ${quote(text)}`,
      seen: ending(fed),
      look: 'descriptor 0 of the command, and its end',
    });
    const unfed = await lab.run(['run', 'busybox', 'cat'], { input: text });
    lab.promise('no-stdin', unfed.stdout === '' && unfed.code === 0, {
      promised: 'without -i the command reads an empty stdin',
      seen: ending(unfed),
      look: '/dev/null as descriptor 0',
    });
    const { pid, client } = await waiting(lab);
    process.kill(pid, SIG.KILL);
    const killed = await client.ended;
    lab.promise('signal', killed.code === 128 + SIG.KILL, {
      promised: 'a command that is ended by SIGKILL gives 137',
      seen: ending(killed),
      look: 'WIFSIGNALED and WTERMSIG in wait(2): 128 + the signal',
    });
    const missing = `/bin/${random.word()}`;
    const none = await lab.run(['run', 'busybox', missing]);
    lab.promise('not-found', none.code === 127 && none.stderr !== '', {
      promised: `a command that does not exist (${missing}) gives 127, and a message on stderr`,
      seen: `${ending(none)}; stderr is ${quote(none.stderr)}`,
      look: 'what execve(2) answers: ENOENT',
    });
    const directory = await lab.run(['run', 'busybox', '/etc/passwd']);
    lab.promise('not-executable', directory.code === 126 && directory.stderr !== '', {
      promised: 'a file that cannot be executed (/etc/passwd) gives 126, and a message on stderr',
      seen: `${ending(directory)}; stderr is ${quote(directory.stderr)}`,
      look: 'what execve(2) answers: EACCES',
    });
    const option = `--${random.word()}`;
    const odd = await lab.run(['run', option, 'busybox', 'true']);
    lab.promise('cannot', odd.code === 125 && odd.stderr !== '', {
      promised: `an option that your engine does not know (${option}) gives 125, and a message on stderr`,
      seen: `${ending(odd)}; stderr is ${quote(odd.stderr)}`,
      look: 'what stands before the image is for you',
    });
  },
};
