import type { Checks } from '../../../learn/capstone/stages.ts';
import { quote } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const plain = await lab.run(['run', 'busybox', 'tty']);
    lab.promise('no-terminal', plain.code === 1, {
      promised: 'without -t the command has no terminal: tty exits with 1',
      seen: `it exited with ${plain.code}`,
      look: 'is a terminal made only when it is asked for?',
    });
    const [word, code] = [random.word(), random.integer(2, 100)];
    const wrapper = ['sh', '-c', '"$@"; code=$?; stty -a; exit $code', 'sh'];
    const terminal = await lab.atTerminal(['run', '-it', 'busybox', 'sh'], { wrapper });
    const prompt = await terminal.shows('# ');
    lab.promise('prompt', prompt, {
      promised: 'run -it busybox sh shows the prompt of a shell at a terminal',
      seen: `the screen shows ${quote(terminal.screen)}`,
      look: 'posix_openpt(3); the slave side as descriptors 0, 1 and 2; setsid(2), and TIOCSCTTY',
    });
    terminal.type(`echo $((${random.integer(100, 999)}*0))-${word}; tty; stty size\r`);
    const size = (await terminal.shows(`0-${word}`)) && (await terminal.shows('24 80'));
    const device = /\n(\/dev\/\S+)/.exec(terminal.screen)?.[1];
    lab.promise('size', size && device !== undefined, {
      promised: `what is typed is executed, tty names a device of the container, and stty size says 24 80 as outside`,
      seen: `the screen shows ${quote(terminal.screen.slice(-300))}`,
      look: 'raw mode for the outer terminal; TIOCGWINSZ there, TIOCSWINSZ here; the devpts of the container',
    });
    terminal.type('sleep 7000\r');
    await terminal.shows('sleep 7000');
    const started = await lab.find(['sleep', '7000']);
    terminal.type('\x03');
    terminal.type(`echo back-$((1+1))-${word}\r`);
    const back = await terminal.shows(`back-2-${word}`);
    lab.promise('ctrl-c', started !== undefined && back, {
      promised: 'Ctrl-C interrupts the program in the container, and the shell goes on',
      seen: `the screen shows ${quote(terminal.screen.slice(-300))}`,
      look: 'a controlling terminal: setsid(2) first, then TIOCSCTTY',
    });
    terminal.type(`exit ${code}\r`);
    const after = await terminal.shows('icanon');
    const ended = await terminal.ended;
    lab.promise('exit-code', ended.code === code, {
      promised: `exit ${code} ends it, with that exit code`,
      seen: `it ended with ${ended.code}`,
      look: 'what do you wait for: the process, or the end of the terminal?',
    });
    lab.promise('restored', after && !/-(?:icanon|echo|isig)\b/.test(terminal.screen), {
      promised: 'afterwards the outer terminal is as it was before: it shows what is typed, line by line',
      seen: quote(terminal.screen.match(/-?\b(?:icanon|echo|isig)\b/g)?.join(' ') ?? 'stty -a says nothing'),
      look: 'tcgetattr(3) before raw mode, and tcsetattr(3) with the same at every end',
    });
  },
};
