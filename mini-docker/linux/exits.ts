// Waits for processes to end, even processes that are not our children: a pidfd becomes readable when its
// process ends, and one epoll_pwait on a thread of libuv's pool waits for all of them. The thread is occupied
// only while at least one descriptor is watched.
import { call, callAsync } from './call.ts';
import { EPOLL, EPOLL_CTL, EPOLLIN, F, O, P, W } from './constants.ts';
import { mayFail } from './step.ts';
import {
  close,
  epollCreate1,
  epollCtl,
  epollPwait,
  eventfd,
  fcntl,
  read,
  waitid,
  write,
} from './syscalls.ts';

/** struct epoll_event { u32 events; u64 data }, packed on x86-64 only. <linux/eventpoll.h> */
export const eventSize = process.arch === 'x64' ? 12 : 16;
const dataOffset = eventSize - 8;
const eventsAtOnce = 64;

/**
 * Callbacks for watched processes that end, under the numbers that epoll reports. These are not descriptors:
 * while an event is on its way from the thread, the descriptor may be closed and its number reused for
 * another process.
 */
const watched = new Map<number, () => void>();
let latest = 0;
/** The number that epoll reports for the eventfd of wake(), which stands for no process. */
const WAKE = 0;

let descriptors: { epoll: number; wake: number } | undefined;
let waiting = false;

/**
 * Resolves when the process has ended, whether it is a zombie or reaped. Until then the wait keeps the event
 * loop alive, as a child process of Node's does. The caller still owns the pidfd, and may close it at any
 * time. pidfd_open(2)
 * @param signal stops waiting: the promise rejects with the signal's reason
 */
export function watchExit(pidfd: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  descriptors ??= openDescriptors();
  const { epoll } = descriptors;
  // The same pidfd may be watched twice, and closed by its owner, so epoll gets a copy.
  const copy = call(fcntl(pidfd, F.DUPFD_CLOEXEC, 3));
  const number = ++latest;
  try {
    call(epollCtl(epoll, EPOLL_CTL.ADD, copy, event(number)));
  } catch (error) {
    call(close(copy));
    throw error;
  }
  const forget = (): void => {
    watched.delete(number);
    signal?.removeEventListener('abort', abort);
    // Closing the copy is not enough: epoll watches the open file behind it, which the caller's descriptor
    // keeps open.
    call(epollCtl(epoll, EPOLL_CTL.DEL, copy, null));
    call(close(copy));
  };
  const abort = (): void => {
    forget();
    reject(signal?.reason);
    if (watched.size === 0) wake();
  };
  signal?.addEventListener('abort', abort);
  watched.set(number, () => {
    forget();
    resolve();
  });
  if (!waiting) void wait(epoll);
  return promise;
}

async function wait(epoll: number): Promise<void> {
  waiting = true;
  const events = Buffer.alloc(eventSize * eventsAtOnce);
  while (watched.size > 0) {
    const count = await callAsync(mayFail(epollPwait(epoll, events, eventsAtOnce, -1, null, 8), 'EINTR'));
    for (let index = 0; index < count; index++) {
      const number = events.readUIntLE(index * eventSize + dataOffset, NUMBER_SIZE);
      if (number === WAKE) call(mayFail(read(descriptors!.wake, Buffer.alloc(8)), 'EAGAIN'));
      // A number without a callback: its caller has stopped waiting in the meantime.
      else watched.get(number)?.();
    }
  }
  waiting = false;
}

function openDescriptors(): { epoll: number; wake: number } {
  const epoll = call(epollCreate1(EPOLL.CLOEXEC));
  const wake = call(eventfd(0, O.CLOEXEC | O.NONBLOCK));
  call(epollCtl(epoll, EPOLL_CTL.ADD, wake, event(WAKE)));
  // process.exit() joins the pool's threads, so it would wait until the watched processes end.
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

function event(number: number): Buffer {
  const buffer = Buffer.alloc(eventSize);
  buffer.writeUInt32LE(EPOLLIN, 0);
  buffer.writeUIntLE(number, dataOffset, NUMBER_SIZE);
  return buffer;
}

/** How a process ended. */
export interface ExitStatus {
  /** Exit code, 0 to 255; 128 + n where signal n ended the process, as in shells. */
  readonly code: number;
  readonly signal?: number;
}

/** Decodes the status of 4 bytes that wait4(2) fills in. */
export function decodeWaitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { code: 128 + signal, signal };
}

/**
 * Reaps a child of this process that has ended, which frees its pid; undefined while the child runs. libuv
 * reaps only processes that it started itself, so it does not take the status first.
 * @throws SyscallError ECHILD when the process is not our child, or has already been reaped
 */
export function reap(pidfd: number): ExitStatus | undefined {
  const info = Buffer.alloc(128);
  call(waitid(P.PIDFD, pidfd, info, W.EXITED | W.NOHANG, null));
  // siginfo_t: si_code at 8, si_pid at 16, si_status at 24; all 0 when there is nothing to reap. waitid(2)
  if (info.readInt32LE(16) === 0) return undefined;
  const value = info.readInt32LE(24);
  return info.readInt32LE(8) === CLD_EXITED ? { code: value } : { code: 128 + value, signal: value };
}

/** <asm-generic/siginfo.h> */
const CLD_EXITED = 1;
