// Pseudo-terminals. The master belongs to the process that shows the terminal, the slave to the program in
// it. pty(7)
import { call } from './call.ts';
import { AT, IOCTL, O } from './constants.ts';
import { resultOf, type Step } from './step.ts';
import { close, ioctl, ioctlBuffer, openat } from './syscalls.ts';

/** Size in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Pty {
  readonly master: number;
  readonly slave: number;
  /** Number of the slave: /dev/pts/N in the devpts in which it was opened. */
  readonly number: number;
}

/**
 * Steps that open a pty in the process that makes them. A container's pty has to come from the container's
 * own devpts, or the program finds no name for its terminal (ttyname(3), tty(1)). So the child program makes
 * these steps after it has mounted devpts and called pivot_root, and waits until this process has taken the
 * master with takeFd() (its pidfd, and the result of `master`). Both descriptors are close-on-exec. The slave
 * is opened through its master (TIOCGPTPEER) and not by a path, which the container could redirect. devpts
 * must be mounted with ptmxmode=0666 unless the child has CAP_DAC_OVERRIDE.
 */
export function ptySteps(options: { ptmx?: string; size?: TerminalSize } = {}): {
  steps: readonly Step[];
  master: Step;
  slave: Step;
} {
  const { ptmx = '/dev/pts/ptmx', size } = options;
  const open = O.RDWR | O.NOCTTY | O.CLOEXEC;
  const master = openat(AT.FDCWD, ptmx, open | O.NOFOLLOW, 0);
  const unlock = ioctlBuffer(resultOf(master), IOCTL.TIOCSPTLCK, Buffer.alloc(4));
  const slave = ioctl(resultOf(master), IOCTL.TIOCGPTPEER, open);
  const resizing = size ? [ioctlBuffer(resultOf(master), IOCTL.TIOCSWINSZ, encodeSize(size))] : [];
  return { steps: [master, unlock, ...resizing, slave], master, slave };
}

/**
 * A pty from this process's own devpts. Both descriptors are close-on-exec, and the caller has to close them.
 */
export function openPty(size?: TerminalSize): Pty {
  const open = O.RDWR | O.NOCTTY | O.CLOEXEC;
  const master = call(openat(AT.FDCWD, '/dev/ptmx', open, 0));
  try {
    call(ioctlBuffer(master, IOCTL.TIOCSPTLCK, Buffer.alloc(4)));
    if (size !== undefined) resizePty(master, size);
    const slave = call(ioctl(master, IOCTL.TIOCGPTPEER, open));
    return { master, slave, number: ptyNumber(master) };
  } catch (error) {
    call(close(master));
    throw error;
  }
}

/** The N of /dev/pts/N. @throws SyscallError ENOTTY when the descriptor is not a pty's master */
export function ptyNumber(master: number): number {
  const number = Buffer.alloc(4);
  call(ioctlBuffer(master, IOCTL.TIOCGPTN, number));
  return number.readInt32LE();
}

/**
 * Sets the terminal's size, which sends SIGWINCH to its foreground processes. `fd` is either side.
 * ioctl_tty(2)
 */
export function resizePty(fd: number, size: TerminalSize): void {
  call(ioctlBuffer(fd, IOCTL.TIOCSWINSZ, encodeSize(size)));
}

/** struct winsize: rows, columns, and the size in pixels, which is not set. */
function encodeSize({ rows, columns }: TerminalSize): Buffer {
  const limit = (value: number): number => Math.max(0, Math.min(0xffff, value));
  return Buffer.from(Uint16Array.of(limit(rows), limit(columns), 0, 0).buffer);
}
