import { setTimeout as sleep } from 'node:timers/promises';
import { SIG } from '#linux';
import { does, idle, processOf } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';

export const stage: Checks = {
  timeLimit: 60_000,
  async check(lab) {
    const { random } = lab;
    const [name, shared, most, code] = [
      random.word(),
      `/tmp/${random.word()}`,
      random.integer(2, 3),
      random.integer(2, 100),
    ];
    await lab.command(['mkdir', shared]);
    const runs = async (file: string): Promise<number> =>
      Number((await lab.command(['sh', '-c', `wc -l < ${shared}/${file} || echo 0`])).stdout.trim());
    const run = (options: string[], script: string): Promise<string> =>
      does(lab, 'run', '-d', '-v', `${shared}:/s`, ...options, 'busybox', 'sh', '-c', script);
    await run(['--name', name, '--restart', `on-failure:${most}`], `echo x >> /s/failing; exit ${code}`);
    await lab.until(async () => (await runs('failing')) >= most + 1, 15_000);
    await sleep(1500);
    const failing = await runs('failing');
    lab.promise('on-failure', failing === most + 1, {
      promised: `--restart on-failure:${most}: a command that always fails is run ${most + 1} times`,
      seen: `it was run ${failing} times`,
      look: 'who stays to see its end? Count the restarts',
    });
    await run(['--restart', 'on-failure:3'], 'echo x >> /s/good; exit 0');
    await lab.until(async () => (await runs('good')) >= 1);
    await sleep(1000);
    lab.promise('success', (await runs('good')) === 1, {
      promised: 'a command that succeeds is not run again',
      seen: `it was run ${await runs('good')} times`,
      look: 'on-failure: an exit code other than 0',
    });
    const [always, command] = [random.word(), idle(random)];
    await does(lab, 'run', '-d', '--name', always, '--restart', 'always', 'busybox', ...command);
    const pid = await processOf(lab, command);
    process.kill(pid, SIG.KILL);
    let second: number | undefined;
    const again = await lab.until(async () => {
      second = await lab.find(command, { timeout: 100 });
      return second !== undefined && second !== pid;
    });
    lab.promise('always', again, {
      promised: '--restart always: when its process is killed, it is run again',
      seen: 'there is no such process any more',
      look: 'the end of a process by a signal is an end, too',
    });
    await does(lab, 'stop', '-t', '1', always);
    await sleep(1500);
    lab.promise('stopped', (await lab.find(command, { timeout: 100 })) === undefined, {
      promised: 'stop is the end: it is not run again',
      seen: 'it runs again',
      look: 'write down that the user wants it stopped, before the signal is sent',
    });
    const plain = idle(random);
    await does(lab, 'run', '-d', 'busybox', ...plain);
    process.kill(await processOf(lab, plain), SIG.KILL);
    await sleep(1000);
    lab.promise('no', (await lab.find(plain, { timeout: 100 })) === undefined, {
      promised: 'without --restart a container that has ended stays down',
      seen: 'it runs again',
      look: 'the default policy is no',
    });
  },
};
