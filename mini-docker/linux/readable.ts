// Reports when a descriptor has data to read, and leaves the reading to the caller: Node's streams read at
// once, and data that they hold is lost when the process ends. One epoll (epoll(7), edge-triggered) holds all
// descriptors, and one epoll_pwait on a thread of libuv's pool waits for it. The thread is occupied only while
// at least one descriptor is watched.
import { call, callAsync } from './call.ts';
import { EPOLL, EPOLL_CTL, EPOLLET, EPOLLIN, O } from './constants.ts';
import { mayFail } from './step.ts';
import { epollCreate1, epollCtl, epollPwait, eventfd, read, write } from './syscalls.ts';

/** struct epoll_event { u32 events; u64 data }, packed on x86-64 only. <linux/eventpoll.h> */
const eventSize = process.arch === 'x64' ? 12 : 16;
const dataOffset = eventSize - 8;
const eventsAtOnce = 64;

/**
 * Callbacks under the numbers that epoll reports. These are not descriptors: while an event is on its way from
 * the thread, the descriptor may be closed and its number reused for another file.
 */
const watched = new Map<number, () => void>();
let latest = 0;
/** The number that epoll reports for the eventfd of wake(). */
const WAKE = 0;

let descriptors: { epoll: number; wake: number } | undefined;
let waiting = false;

/**
 * Calls `onReadable` when there is data to read or the other end is closed, and soon if that is already so.
 * The next call comes only for data that arrives later, so read until EAGAIN. `onReadable` must not throw.
 * Until stop() the wait keeps the event loop alive. Call stop() before the descriptor is closed.
 */
export function watchReadable(fd: number, onReadable: () => void): { stop(): void } {
  descriptors ??= openDescriptors();
  const { epoll } = descriptors;
  const number = ++latest;
  call(epollCtl(epoll, EPOLL_CTL.ADD, fd, event(number, EPOLLIN | EPOLLET)));
  watched.set(number, onReadable);
  if (!waiting) void wait(epoll);
  return {
    stop() {
      if (!watched.delete(number)) return;
      // Already closed: the kernel no longer watches the file, or the number belongs to another file now.
      call(mayFail(epollCtl(epoll, EPOLL_CTL.DEL, fd, null), 'EBADF', 'ENOENT', 'EPERM'));
      // With nothing left to watch, the thread must not keep the process alive.
      if (watched.size === 0) wake();
    },
  };
}

async function wait(epoll: number): Promise<void> {
  waiting = true;
  const events = Buffer.alloc(eventSize * eventsAtOnce);
  while (watched.size > 0) {
    const count = await callAsync(mayFail(epollPwait(epoll, events, eventsAtOnce, -1, null, 8), 'EINTR'));
    for (let index = 0; index < count; index++) {
      const number = events.readUIntLE(index * eventSize + dataOffset, NUMBER_SIZE);
      if (number === WAKE) call(mayFail(read(descriptors!.wake, Buffer.alloc(8)), 'EAGAIN'));
      // A number without a callback: its caller has stopped the watch in the meantime.
      else watched.get(number)?.();
    }
  }
  waiting = false;
}

function openDescriptors(): { epoll: number; wake: number } {
  const epoll = call(epollCreate1(EPOLL.CLOEXEC));
  const wake = call(eventfd(0, O.CLOEXEC | O.NONBLOCK));
  call(epollCtl(epoll, EPOLL_CTL.ADD, wake, event(WAKE, EPOLLIN)));
  // process.exit() joins the pool's threads, so it would wait as long as anything is watched.
  process.once('exit', wakeForGood);
  return { epoll, wake };
}

/** Ends the wait on the pool's thread, if there is one. */
function wake(): void {
  if (waiting && descriptors !== undefined) call(write(descriptors.wake, counter));
}

function wakeForGood(): void {
  watched.clear();
  wake();
}

/**
 * The number written to the eventfd, which adds it to its counter and is readable unless the counter is 0.
 */
const counter = Buffer.from(BigUint64Array.of(1n).buffer);

/** Bytes of an integer that fits into a JavaScript number. */
const NUMBER_SIZE = 6;

function event(number: number, events: number): Buffer {
  const buffer = Buffer.alloc(eventSize);
  buffer.writeUInt32LE(events >>> 0, 0);
  buffer.writeUIntLE(number, dataOffset, NUMBER_SIZE);
  return buffer;
}
