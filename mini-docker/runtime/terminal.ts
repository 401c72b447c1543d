// A terminal for the program: a pty of the container's own devpts, so that tty(1) and ttyname(3) find it there.
import { AT, IOCTL, O } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf } from '../linux/step.ts';
import { close, dup3, ioctl, ioctlBuffer, openat } from '../linux/syscalls.ts';

export interface TerminalSize {
  rows: number;
  columns: number;
}

/** struct winsize: rows, columns, and two unused pixels sizes. <asm-generic/termios.h> */
export function winsize({ rows, columns }: TerminalSize): Uint8Array {
  return new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer);
}

/**
 * Opens a pty, makes it the controlling terminal of this session, and puts it on 0, 1 and 2.
 * @param master the number that the master gets, for others to take
 */
export function openTerminal(master: number, size: TerminalSize | undefined): Item[] {
  const multiplexer = openat(AT.FDCWD, '/dev/pts/ptmx', O.RDWR | O.NOCTTY | O.CLOEXEC, 0);
  const slave = ioctl(resultOf(multiplexer), IOCTL.TIOCGPTPEER, O.RDWR | O.NOCTTY | O.CLOEXEC);
  const unlocked = new Uint8Array(4);
  return [
    because('the master side of a new pty', multiplexer),
    ioctlBuffer(resultOf(multiplexer), IOCTL.TIOCSPTLCK, unlocked),
    because('its other side, by descriptor: no path can mislead', slave),
    ...(size === undefined ? [] : [ioctlBuffer(resultOf(slave), IOCTL.TIOCSWINSZ, winsize(size))]),
    dup3(resultOf(multiplexer), master, O.CLOEXEC),
    close(resultOf(multiplexer)),
    ...[0, 1, 2].map(fd => dup3(resultOf(slave), fd, 0)),
    close(resultOf(slave)),
    because('Ctrl-C reaches this session', ioctl(0, IOCTL.TIOCSCTTY, 0)),
  ];
}
