import type { Checks } from '../../../learn/capstone/stages.ts';
import { quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [text, other, port, inner] = [
      random.word(),
      random.word(),
      random.integer(2000, 5000),
      random.integer(6000, 9000),
    ];
    const serve = (word: string): string =>
      `mkdir /www; echo ${word} > /www/index.html; exec httpd -f -p ${inner} -h /www`;
    const fetch = async (at: string): Promise<string> =>
      (await lab.command(['sh', '-c', `wget -T 2 -t 1 -qO- http://${at}/ || curl -sm 2 http://${at}/`]))
        .stdout;
    const ports = ['-p', `${port}:${inner}`, '-p', `${port + 2}:${inner}`];
    const first = await lab.start(['run', ...ports, 'busybox', 'sh', '-c', serve(text)]);
    let seen = '';
    const reached = await lab.until(async () => {
      seen = await fetch(`127.0.0.1:${port}`);
      return seen === `${text}\n`;
    });
    lab.promise('localhost', reached, {
      promised: `-p ${port}:${inner}: http://127.0.0.1:${port} on the machine leads to port ${inner} of the container`,
      seen: `the answer is ${quote(seen)}; the engine says ${quote(first.stderr)}`,
      look: 'DNAT in the hook output, route_localnet and masquerade; or a proxy in user space',
    });
    const twice = await fetch(`127.0.0.1:${port + 2}`);
    lab.promise('several', twice === `${text}\n`, {
      promised: `a second -p of the same container, ${port + 2}:${inner}, holds as well`,
      seen: `the answer is ${quote(twice)}`,
      look: 'an option that may be repeated',
    });
    const second = await lab.start([
      'run',
      '-p',
      `${port + 1}:${inner}`,
      'busybox',
      'sh',
      '-c',
      serve(other),
    ]);
    await lab.until(async () => {
      seen = await fetch(`127.0.0.1:${port + 1}`);
      return seen === `${other}\n`;
    });
    const again = await fetch(`127.0.0.1:${port}`);
    lab.promise('two', seen === `${other}\n` && again === `${text}\n`, {
      promised: `a second container with -p ${port + 1}:${inner} is reached at its own port`,
      seen: `port ${port + 1} answers ${quote(seen)}, port ${port} answers ${quote(again)}; ${quote(second.stderr)}`,
      look: 'a rule for each published port',
    });
    await lab.command(['ip', 'addr', 'add', '10.99.7.1/32', 'dev', 'lo']);
    const outer = await fetch(`10.99.7.1:${port}`);
    lab.promise('other-addresses', outer === `${text}\n`, {
      promised: 'it is reached at any other address of the machine as well',
      seen: `the answer at 10.99.7.1 is ${quote(outer)}`,
      look: 'for which destinations does the rule hold? fib daddr type local',
    });
    const closed = await fetch(`127.0.0.1:${inner}`);
    lab.promise('only-published', closed === '', {
      promised: `port ${inner} of the machine itself leads nowhere`,
      seen: `it answers ${quote(closed)}`,
      look: 'which of the two numbers is that of the machine?',
    });
  },
};
