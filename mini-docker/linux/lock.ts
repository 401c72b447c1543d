import { call, callAsync } from './call.ts';
import { LOCK } from './constants.ts';
import { Descriptor } from './descriptor.ts';
import { openKept } from './set-aside.ts';
import { mayFail } from './step.ts';
import { flock } from './syscalls.ts';

/**
 * Runs `use` while it holds the lock of the file `path`, which excludes other processes and other callers in
 * this one. The file is created when it is missing. `use` must not wait: callers waiting for the lock occupy
 * libuv's pool threads.
 */
export async function withLock<T>(path: string, use: () => T): Promise<T> {
  using file = new Descriptor(openKept(path, 0o600));
  if (call(mayFail(flock(file.number, LOCK.EX | LOCK.NB), 'EAGAIN', 'EINTR')) < 0) {
    while ((await callAsync(mayFail(flock(file.number, LOCK.EX), 'EINTR'))) < 0);
  }
  return use();
}
