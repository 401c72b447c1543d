// Starts a program from the list of system calls that leads to it, and waits for it: for chapters and
// learners. startChild() does the work. This file adds the streams and signals that every program expects,
// and handles Ctrl-C during the wait as a shell does.
import { closeSync } from 'node:fs';
import { call } from './call.ts';
import { type Child, resetSignals, startChild } from './child.ts';
import { CLOSE_RANGE, F, O } from './constants.ts';
import { reap, watchExit } from './exits.ts';
import type { Item } from './program.ts';
import { mayFail } from './step.ts';
import { closeRange, execve, execveat, fcntl } from './syscalls.ts';

const STANDARD_STREAMS = [0, 1, 2];
const ALL_DESCRIPTORS = 0xffff_ffff;

const children = new Map<number, Child>();

/**
 * clone(2): a new process that makes these system calls, one after another, and exits with 0 after the last
 * one. It stops at the first call that fails, and wait() reports it. Before an execve its streams and signals
 * are set up as programs expect them.
 * @param flags CLONE.NEW*: the new namespaces that the process gets
 * @returns its pid, for wait()
 * @throws SyscallError when clone itself fails
 */
export function clone(flags: number, items: readonly Item[]): number {
  STANDARD_STREAMS.forEach(makeBlocking);
  const child = startChild(
    items.flatMap(item => (startsProgram(item) ? [...handOver(), item] : [item])),
    { flags },
  );
  children.set(child.pid, child);
  return child.pid;
}

/**
 * Waits until a process that clone() started has ended, and returns its exit code: 0 to 255, or 128 + n where
 * signal n ended it. Meanwhile only the child handles Ctrl-C, as with system(3).
 * @throws SyscallError when a step failed, naming that step; the process has ended in this case too
 */
export async function wait(pid: number): Promise<number> {
  const child = children.get(pid);
  if (child === undefined)
    throw new Error(`wait: ${pid} is not a process that clone() started, or it was waited for`);
  children.delete(pid);
  const ignore = (): void => {};
  process.on('SIGINT', ignore).on('SIGQUIT', ignore);
  try {
    await watchExit(child.pidfd);
    const status = reap(child.pidfd);
    await child.executed;
    return status?.code ?? 0;
  } finally {
    process.off('SIGINT', ignore).off('SIGQUIT', ignore);
    closeSync(child.pidfd);
  }
}

function startsProgram(item: Item): boolean {
  return 'syscall' in item && (item.syscall === execve.syscall || item.syscall === execveat.syscall);
}

/**
 * Steps that leave a program its three standard streams, no other descriptor, and signals as a shell leaves
 * them.
 */
export function handOver(): Item[] {
  return [
    closeRange(3, ALL_DESCRIPTORS, CLOSE_RANGE.CLOEXEC),
    // Node marks its standard streams close-on-exec when it starts.
    ...STANDARD_STREAMS.map(fd => mayFail(fcntl(fd, F.SETFD, 0), 'EBADF')),
    ...resetSignals(),
  ];
}

/**
 * Node makes pipes on its streams non-blocking, and most programs fail on such pipes (EAGAIN). All sharers
 * share the flag.
 */
export function makeBlocking(fd: number): void {
  const flags = call(mayFail(fcntl(fd, F.GETFL, 0), 'EBADF'));
  if (flags >= 0 && flags & O.NONBLOCK) call(fcntl(fd, F.SETFL, flags & ~O.NONBLOCK));
}
