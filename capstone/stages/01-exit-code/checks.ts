import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const code = random.integer(2, 100);
    const ran = await lab.run(['run', 'busybox', 'sh', '-c', `exit ${code}`]);
    lab.promise('exit-code', ran.code === code, {
      promised: `my-docker run busybox sh -c 'exit ${code}' exits with ${code}`,
      seen: ending(ran),
      look: 'wait for the command, and exit with its code',
    });
    const words = [`${random.word()} ${random.word()}`, '$HOME', random.word(), '*', '--rm'];
    const echoed = await lab.run(['run', 'busybox', 'printf', '%s|', ...words]);
    lab.promise('arguments', echoed.stdout === words.map(word => `${word}|`).join(''), {
      promised: `the arguments arrive as they were given: ${words.map(quote).join(' ')}`,
      seen: ending(echoed),
      look: 'arguments are a list: do not join them to one text, and do not look for options behind the image',
    });
    const good = await lab.run(['run', 'busybox', 'true']);
    lab.promise('success', good.code === 0, {
      promised: 'a command that succeeds gives exit code 0',
      seen: ending(good),
      look: 'the exit code of your own program',
    });
  },
};
