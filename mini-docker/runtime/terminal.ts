// Opens a terminal for the program: a pty of the container's own devpts, where tty(1) and ttyname(3) can find
// it.
import { IOCTL, O } from '../linux/constants.ts';
import type { Item } from '../linux/program.ts';
import { ptySteps, type TerminalSize } from '../linux/pty.ts';
import { because, resultOf } from '../linux/step.ts';
import { close, dup3, ioctl } from '../linux/syscalls.ts';

/**
 * Opens a pty, makes it the controlling terminal of this session, and duplicates it to 0, 1 and 2.
 * @param master the number at which the monitor takes the master
 */
export function openTerminal(master: number, size: TerminalSize | undefined): Item[] {
  const pty = ptySteps(size === undefined ? {} : { size });
  return [
    ...pty.steps,
    because('the monitor finds the master here', dup3(resultOf(pty.master), master, O.CLOEXEC)),
    close(resultOf(pty.master)),
    ...[0, 1, 2].map(fd => dup3(resultOf(pty.slave), fd, 0)),
    close(resultOf(pty.slave)),
    because('Ctrl-C reaches this session', ioctl(0, IOCTL.TIOCSCTTY, 0)),
  ];
}
