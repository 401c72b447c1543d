import { does } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending, quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [name, out, err, late] = [random.word(), random.word(), random.word(), random.word()];
    const [shared, go] = [`/tmp/${random.word()}`, random.word()];
    await lab.command(['mkdir', shared]);
    const script = `echo ${out}; echo ${err} >&2; until [ -e /s/${go} ]; do sleep 0.05; done; echo ${late}`;
    await does(lab, 'run', '-d', '--name', name, '-v', `${shared}:/s`, 'busybox', 'sh', '-c', script);
    await lab.until(async () => (await lab.run(['logs', name])).stdout.includes(out));
    const logged = await lab.run(['logs', name]);
    lab.promise('logs', logged.stdout === `${out}\n` && logged.stderr === `${err}\n`, {
      promised: `logs ${name} prints what it has written, ${out} to stdout and ${err} to stderr`,
      seen: `stdout is ${quote(logged.stdout)}, stderr is ${quote(logged.stderr)}`,
      look: 'two pipes, and a record that says which line came from which',
    });
    const following = await lab.start(['logs', '-f', name]);
    await lab.until(() => following.stdout.includes(out));
    await lab.command(['touch', `${shared}/${go}`]);
    const ended = await lab.within(following.ended);
    lab.promise('follow', ended !== undefined && ended.stdout === `${out}\n${late}\n`, {
      promised: `logs -f goes on until the container ends, and prints ${late} as well`,
      seen: ended === undefined ? 'it still waits, although the container has ended' : ending(ended),
      look: 'inotify(7), or a second look at the file; and the end of the container',
    });
    const after = await lab.run(['logs', name]);
    lab.promise('afterwards', after.stdout === `${out}\n${late}\n`, {
      promised: 'logs prints all of it after the container has ended, too',
      seen: ending(after),
      look: 'is everything written to the file before the end is recorded?',
    });
    const tail = await lab.run(['logs', '--tail', '1', name]);
    lab.promise('tail', `${tail.stdout}${tail.stderr}` === `${late}\n`, {
      promised: `logs --tail 1 prints the last line only, ${late}`,
      seen: ending(tail),
      look: 'count the lines from the end',
    });
    const flood = 'head -c 300000 /dev/zero | tr "\\0" x; touch /s/flooded';
    await does(lab, 'run', '-d', '-v', `${shared}:/s`, 'busybox', 'sh', '-c', flood);
    const flooded = async () => (await lab.command(['test', '-e', `${shared}/flooded`])).code === 0;
    lab.promise('never-blocks', await lab.until(flooded), {
      promised: 'a container that writes 300 kB ends, even if no client reads its log',
      seen: 'it waits: its pipe is full',
      look: 'a process that reads the pipes as long as the container lives',
    });
  },
};
