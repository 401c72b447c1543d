// Whether this process may soon open no more files. RLIMIT_NOFILE, getrlimit(2)
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Descriptors that are kept back, at most; where the limit is low, an eighth of it. */
const RESERVED = 512;

let limit: number | undefined;

/** An estimate: below the lowest free number, which the next file gets, all are taken. */
export function descriptorsRunOut(): boolean {
  limit ??= Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024);
  const lowest = openSync('/dev/null', 'r');
  closeSync(lowest);
  return limit - lowest < Math.min(RESERVED, limit / 8);
}
