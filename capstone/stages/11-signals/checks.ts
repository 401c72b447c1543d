import { readStatus, SIG } from '#linux';
import { isAlive, shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const [code, word] = [random.integer(2, 100), random.word()];
    const script = `trap 'echo ${word}; exit ${code}' TERM; echo ready; while :; do sleep 0.05; done`;
    const client = await lab.start(['run', 'busybox', 'sh', '-c', script]);
    await lab.until(() => client.stdout.includes('ready'));
    client.kill(SIG.TERM);
    const ended = await lab.within(client.ended);
    lab.promise('passed-on', ended?.code === code && ended.stdout.includes(word), {
      promised: `SIGTERM for run reaches the command, whose trap prints ${word} and exits with ${code}`,
      seen: ended === undefined ? 'run still waits' : ending(ended),
      look: 'a handler in your program that sends the signal on; then wait again',
    });
    const { pid, client: other } = await waiting(lab, ['--init']);
    const isFirst = readStatus(pid)?.nspid.at(-1) === 1;
    other.kill(SIG.TERM);
    const gone = await lab.until(() => !isAlive(pid));
    lab.promise('init', !isFirst && gone, {
      promised: 'with --init, process 1 passes SIGTERM on to sleep, which ends of it',
      seen: gone
        ? 'sleep is process 1 itself'
        : 'sleep goes on: the kernel ignores SIGTERM for a process 1 without a handler',
      look: 'a small process 1 of your own: it starts the command, passes signals on, and reaps',
    });
    const zombies = await shell(lab, '(sleep 0.1 & exec sleep 0) ; sleep 1; ps -o stat | grep -c Z', [
      '--init',
    ]);
    lab.promise('reaps', zombies.stdout.trim() === '0', {
      promised: 'with --init, orphans do not become zombies',
      seen: `${zombies.stdout.trim()} zombies`,
      look: 'wait for any child, and not only for the command',
    });
    const codes = await shell(lab, `exit ${code}`, ['--init']);
    lab.promise('init-exit-code', codes.code === code, {
      promised: `with --init, too, run exits with the command's exit code, ${code}`,
      seen: ending(codes),
      look: 'process 1 has to exit with the exit code of the command',
    });
  },
};
