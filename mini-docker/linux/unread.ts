// Whether the other end of a connection has read what was written to it. On a unix socket the kernel counts a message
// until it is read (unix_outq_len in net/unix/af_unix.c), over TCP until it is acknowledged.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { call } from './call.ts';
import { IOCTL } from './constants.ts';
import { mayFail } from './step.ts';
import { ioctlBuffer } from './syscalls.ts';

/** Milliseconds: the time that a reader on a busy machine gets, and the first part of it without pauses. */
const PATIENCE = 1000;
const SOON = 1;

/**
 * Resolves when the peer has read everything, or after a second.
 * @param descriptor returns the socket's present number; undefined when it is closed or not a socket of the
 *   kernel
 */
export async function whenRead(descriptor: () => number | undefined): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const fd = descriptor();
    const waited = performance.now() - begun;
    if (fd === undefined || fd < 0 || unread(fd) <= 0 || waited > PATIENCE) return;
    await (waited < SOON ? setImmediate() : setTimeout(1));
  }
}

/** ioctl(2), SIOCOUTQ, whose number is TIOCOUTQ's. */
function unread(fd: number): number {
  const count = Buffer.alloc(4);
  call(mayFail(ioctlBuffer(fd, IOCTL.TIOCOUTQ, count), 'ENOTTY', 'EINVAL', 'ENOTSOCK'));
  return count.readInt32LE();
}
