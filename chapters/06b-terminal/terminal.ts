// A terminal of the box's own: a pty from the box's devpts. We take its master, and show it on our own terminal.
import { closeSync, readSync, writeSync } from 'node:fs';
import {
  because,
  call,
  dup3,
  IOCTL,
  type Item,
  ioctl,
  ioctlBuffer,
  O,
  PtyStream,
  pidfdOpen,
  pipe,
  ptySteps,
  read,
  resizePty,
  resultOf,
  setsid,
  takeFd,
  write,
} from '#linux';

/** The descriptor at which the child keeps the master for us. */
const MASTER = 100;

/** struct termios of the kernel, <asm-generic/termbits.h>: its size, where c_oflag is in it, and a bit of that. */
const TERMIOS_SIZE = 36;
const OUTPUT_FLAGS = 4;
const OPOST = 1;

export interface Terminal {
  /** Steps for the child, after it has entered its root. */
  readonly steps: Item[];
  /** Gives the terminal's master to its new owner, which has it until no process has the terminal open any more. */
  show(pid: number): void;
}

/** @param connect what to do with the master: by default, our own terminal shows it */
export function terminal(connect: (master: number) => void = connectOurs): Terminal {
  const pty = ptySteps({ size: ourSize() });
  const opened = pipe();
  const taken = pipe();
  return {
    steps: [
      ...pty.steps,
      dup3(resultOf(pty.master), MASTER, O.CLOEXEC),
      ...[0, 1, 2].map(fd => dup3(resultOf(pty.slave), fd, 0)),
      because('only a session leader can get a controlling terminal', setsid()),
      because('Ctrl-C on the terminal now reaches this session', ioctl(0, IOCTL.TIOCSCTTY, 0)),
      write(opened.writeEnd, Buffer.from('!')),
      because('wait until the parent has taken the master', read(taken.readEnd, Buffer.alloc(1))),
    ],
    show(pid) {
      closeSync(opened.writeEnd);
      // The child ended before it had opened the pty; wait() reports why.
      if (readSync(opened.readEnd, Buffer.alloc(1)) === 0) return;
      const pidfd = call(pidfdOpen(pid, 0));
      const master = takeFd(pidfd, MASTER);
      closeSync(pidfd);
      writeSync(taken.writeEnd, '!');
      connect(master);
    },
  };
}

function connectOurs(master: number): void {
  const screen = new PtyStream(master);
  screen.pipe(process.stdout);
  if (process.stdin.isTTY) makeRaw();
  process.stdin.on('data', typed => screen.write(typed));
  process.stdin.on('end', () => screen.write('\x04'));
  const resize = (): void => resizePty(master, ourSize());
  process.stdout.on('resize', resize);
  screen.on('close', () => {
    process.stdout.off('resize', resize);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.destroy();
  });
}

/**
 * Raw: no key means anything to our own terminal any more. Ctrl-C is a plain byte, for the terminal inside. Node leaves
 * one thing on that cfmakeraw(3) turns off, the processing of output: a line feed would still begin a new line.
 */
function makeRaw(): void {
  process.stdin.setRawMode(true);
  const settings = Buffer.alloc(TERMIOS_SIZE);
  call(ioctlBuffer(0, IOCTL.TCGETS, settings));
  settings.writeUInt32LE(settings.readUInt32LE(OUTPUT_FLAGS) & ~OPOST, OUTPUT_FLAGS);
  call(ioctlBuffer(0, IOCTL.TCSETS, settings));
}

function ourSize(): { rows: number; columns: number } {
  const { rows = 24, columns = 80 } = process.stdout;
  return { rows, columns };
}
