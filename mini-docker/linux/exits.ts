// How processes end, also those that are not our children: pidfds become readable, and one epoll_pwait on a thread
// of libuv's pool waits for all of them. The thread is taken only while something is watched.
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
const eventSize = process.arch === 'x64' ? 12 : 16;
const dataOffset = eventSize - 8;
const eventsAtOnce = 64;

/**
 * What to do when a watched process ends, under the number that epoll knows it by. Not a descriptor's: while an event is
 * on its way from the thread to us, that one may be closed, and mean another process.
 */
const watched = new Map<number, () => void>();
let latest = 0;
/** The number of `wake`, which stands for no process. */
const WAKE = 0;

let descriptors: { epoll: number; wake: number } | undefined;
let waiting = false;

/**
 * Settles when the process has ended, as a zombie or reaped. Until then it keeps the event loop alive, as a child
 * process of Node's does. The pidfd stays the caller's, and may be closed at any time. pidfd_open(2)
 * @param signal gives up: the promise rejects with its reason
 */
export function watchExit(pidfd: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  descriptors ??= openDescriptors();
  const { epoll } = descriptors;
  // The same pidfd may be watched twice, and closed by its owner: epoll has a copy.
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
    // Closing alone would not do: epoll watches what the descriptor stands for, which the caller's keeps open.
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
      // Not there any more: given up since.
      else watched.get(number)?.();
    }
  }
  waiting = false;
}

function openDescriptors(): { epoll: number; wake: number } {
  const epoll = call(epollCreate1(EPOLL.CLOEXEC));
  const wake = call(eventfd(0, O.CLOEXEC | O.NONBLOCK));
  call(epollCtl(epoll, EPOLL_CTL.ADD, wake, event(WAKE)));
  // process.exit() joins the pool's threads, and would wait for as long as the watched processes run.
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

/** An eventfd adds what is written to its counter, and is readable unless that is 0. */
const counter = Buffer.from(BigUint64Array.of(1n).buffer);

/** Bytes: what a number of JavaScript's has room for. */
const NUMBER_SIZE = 6;

function event(number: number): Buffer {
  const buffer = Buffer.alloc(eventSize);
  buffer.writeUInt32LE(EPOLLIN, 0);
  buffer.writeUIntLE(number, dataOffset, NUMBER_SIZE);
  return buffer;
}

/** How a process ended. */
export interface ExitStatus {
  /** 0 to 255; 128 + n where signal n ended it, as shells tell it. */
  readonly code: number;
  readonly signal?: number;
}

/** From the 4 bytes that wait4(2) fills. */
export function decodeWaitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { code: 128 + signal, signal };
}

/**
 * Takes the exit status of a child of this process that has ended, which frees its pid; undefined while it runs.
 * libuv reaps only what it started itself, so nobody else takes it.
 * @throws SyscallError ECHILD when it is not our child, or has been reaped
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
