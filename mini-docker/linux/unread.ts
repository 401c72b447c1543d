// Whether the other end of a connection has read what was written to it. On a unix socket the kernel counts a message
// until it is read (unix_outq_len in net/unix/af_unix.c), over TCP until it is acknowledged.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { call } from './call.ts';
import { IOCTL } from './constants.ts';
import { mayFail } from './step.ts';
import { ioctlBuffer } from './syscalls.ts';

/** Milliseconds: a reader on a busy machine, and how long to look without a pause. */
const PATIENCE = 1000;
const SOON = 1;

/**
 * Resolves when the peer has read everything, or has not within a second.
 * @param descriptor gives the socket's number at that moment; undefined when it is closed or is no socket of the kernel's
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
