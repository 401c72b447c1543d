// Reports when a descriptor has data to read, and leaves the reading to the caller: Node's streams read at
// once, and data that they hold is lost when the process ends. A separate epoll (epoll(7), edge-triggered)
// holds the descriptors. It is itself readable when one of them is, so the thread of exits.ts can wait for it
// too.
import { call } from './call.ts';
import { EPOLL, EPOLL_CTL, EPOLLET, EPOLLIN } from './constants.ts';
import { eventSize, watchExit } from './exits.ts';
import { mayFail } from './step.ts';
import { epollCreate1, epollCtl, epollPwait } from './syscalls.ts';

const eventsAtOnce = 64;
const events = Buffer.alloc(eventSize * eventsAtOnce);

const watched = new Map<number, () => void>();
let epoll: number | undefined;
let waiting: AbortController | undefined;

/**
 * Calls `onReadable` when there is data to read or the other end is closed, and soon if that is already so.
 * The next call comes only for data that arrives later, so read until EAGAIN. `onReadable` must not throw.
 * Call stop() before the descriptor is closed.
 */
export function watchReadable(fd: number, onReadable: () => void): { stop(): void } {
  epoll ??= call(epollCreate1(EPOLL.CLOEXEC));
  const event = Buffer.alloc(eventSize);
  event.writeUInt32LE((EPOLLIN | EPOLLET) >>> 0, 0);
  event.writeInt32LE(fd, eventSize - 8);
  call(epollCtl(epoll, EPOLL_CTL.ADD, fd, event));
  watched.set(fd, onReadable);
  if (waiting === undefined) void wait(epoll);
  return {
    stop() {
      if (watched.get(fd) !== onReadable) return;
      watched.delete(fd);
      // Already closed: the kernel no longer watches the file, or the number belongs to another file now.
      call(mayFail(epollCtl(epoll!, EPOLL_CTL.DEL, fd, null), 'EBADF', 'ENOENT', 'EPERM'));
      // With nothing left to watch, the thread must not keep the process alive.
      if (watched.size === 0) waiting?.abort();
    },
  };
}

async function wait(epoll: number): Promise<void> {
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    while (!signal.aborted) {
      await watchExit(epoll, signal);
      dispatch(epoll);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    waiting = undefined;
  }
  if (watched.size > 0) void wait(epoll);
}

function dispatch(epoll: number): void {
  let count: number;
  do {
    count = call(mayFail(epollPwait(epoll, events, eventsAtOnce, 0, null, 8), 'EINTR'));
    const ready = Array.from({ length: Math.max(count, 0) }, (_, index) =>
      events.readInt32LE(index * eventSize + eventSize - 8),
    );
    for (const fd of ready) watched.get(fd)?.();
  } while (count === eventsAtOnce);
}
