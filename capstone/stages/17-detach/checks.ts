import { setTimeout as sleep } from 'node:timers/promises';
import { does, idle, isAlive, processOf } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [name, command] = [random.word(), idle(random)];
    const begun = Date.now();
    const id = await does(lab, 'run', '-d', '--name', name, 'busybox', ...command);
    const pid = await processOf(lab, command);
    lab.promise('id', /^[\w.-]+$/.test(id) && Date.now() - begun < lab.patient(60_000), {
      promised: 'run -d prints one word, the id, and returns while the command runs',
      seen: `it printed ${JSON.stringify(id)}`,
      look: 'a process of your own has to stay with the container: who waits for it?',
    });
    await sleep(300);
    lab.promise('stays', isAlive(pid), {
      promised: 'the container goes on when run has returned',
      seen: 'it has ended',
      look: 'PR_SET_PDEATHSIG, sessions, and closed pipes',
    });
    const listed = await lab.run(['ps']);
    lab.promise('ps', listed.stdout.includes(name) && listed.stdout.includes('busybox'), {
      promised: `ps lists it, with its name, ${name}, and its image`,
      seen: ending(listed),
      look: 'a record on disk, and whether the process is alive: ask the kernel',
    });
    const again = await lab.run(['run', '-d', '--name', name, 'busybox', 'true']);
    lab.promise('name-taken', again.code === 125 && again.stderr.trim() !== '', {
      promised: 'a second container of the same name is refused with 125 and a message',
      seen: ending(again),
      look: 'a name is unique: mkdir(2) fails if there is one already',
    });
    const other = random.word();
    await does(lab, 'run', '-d', '--name', other, 'busybox', 'true');
    const gone = await lab.until(async () => !(await lab.run(['ps'])).stdout.includes(other));
    const all = await lab.run(['ps', '-a']);
    lab.promise('ps-all', gone && all.stdout.includes(other) && all.stdout.includes(name), {
      promised: `a container that has ended, ${other}, is listed by ps -a, and no longer by ps`,
      seen: gone ? `ps -a: ${ending(all)}` : 'ps still lists it',
      look: 'the state is what the kernel says now, not what was written when it was started',
    });
    const code = random.integer(2, 100);
    const third = random.word();
    await does(lab, 'run', '-d', '--name', third, 'busybox', 'sh', '-c', `sleep 0.5; exit ${code}`);
    const waited = await lab.run(['wait', third]);
    lab.promise('wait', waited.stdout.trim() === `${code}` && waited.code === 0, {
      promised: `wait ${third} waits until it has ended, and prints its exit code, ${code}`,
      seen: ending(waited),
      look: 'only the parent learns the exit code: it has to write it down',
    });
  },
};
