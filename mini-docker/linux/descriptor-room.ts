// The numbers of this process's descriptors. Those that live as long as a container lie above those that come and go:
// a new process gets some of the latter, and copies all up to the highest of them (Launch in child.ts).
import { closeSync, openSync, readFileSync } from 'node:fs';
import { call } from './call.ts';
import { F } from './constants.ts';
import { mayFail } from './step.ts';
import { fcntl } from './syscalls.ts';

/** The first number for descriptors that live long. */
const UPPER = 256;
/** Descriptors that are kept back, at most; where the limit is low, an eighth of it. */
const RESERVED = 512;

let limit: number | undefined;

/** Gives a descriptor that will live long a higher number, which the caller owns instead. */
export function moveUp(fd: number): number {
  // EINVAL: no number is so high under RLIMIT_NOFILE, getrlimit(2).
  const moved = call(mayFail(fcntl(fd, F.DUPFD_CLOEXEC, UPPER), 'EINVAL', 'EMFILE'));
  if (moved < 0) return fd;
  closeSync(fd);
  return moved;
}

/**
 * Whether this process may soon open no more files. An estimate: below the number that the next one gets, all are taken.
 * @param times how many times the reserve must be free: callers that ask for more are refused sooner
 */
export function descriptorsRunOut(times = 1): boolean {
  limit ??= Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024);
  const next = moveUp(openSync('/dev/null', 'r'));
  closeSync(next);
  return limit - next < times * Math.min(RESERVED, limit / 8);
}
