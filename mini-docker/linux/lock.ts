import { closeSync } from 'node:fs';
import { call, callAsync } from './call.ts';
import { LOCK } from './constants.ts';
import { openKept } from './set-aside.ts';
import { mayFail } from './step.ts';
import { flock } from './syscalls.ts';

/**
 * Runs `use` while no other process, and nobody else in this one, holds the lock of the file `path`, which is made
 * when it is not there. `use` must not wait for anything: those who wait for the lock occupy threads of libuv's pool.
 */
export async function withLock<T>(path: string, use: () => T): Promise<T> {
  const fd = openKept(path, 0o600);
  try {
    if (call(mayFail(flock(fd, LOCK.EX | LOCK.NB), 'EAGAIN', 'EINTR')) < 0) {
      while ((await callAsync(mayFail(flock(fd, LOCK.EX), 'EINTR'))) < 0);
    }
    return use();
  } finally {
    closeSync(fd);
  }
}
