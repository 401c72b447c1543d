// Two daemons must never share a data root or a run directory. The kernel releases the locks when a daemon
// dies.

import { chmodSync, closeSync, ftruncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../linux/call.ts';
import { LOCK } from '../linux/constants.ts';
import { readRegular } from '../linux/kept-file.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { openKept } from '../linux/set-aside.ts';
import { mayFail } from '../linux/step.ts';
import { flock } from '../linux/syscalls.ts';

/**
 * Creates the directory and locks it until the result is disposed of.
 * @param mode permission bits, set even if the directory already exists
 * @throws Error with one line when another daemon holds the lock
 */
export function lockDirectory(directory: string, mode: number): Disposable {
  makeDirectories(directory, mode);
  const path = join(directory, 'daemon.lock');
  const fd = openKept(path, 0o600);
  if (call(mayFail(flock(fd, LOCK.EX | LOCK.NB), 'EAGAIN')) < 0) {
    const pid = readRegular(path).toString().trim();
    closeSync(fd);
    throw new Error(`another daemon (pid ${pid}) uses ${directory}: stop it, or choose another directory`);
  }
  chmodSync(directory, mode);
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`);
  return { [Symbol.dispose]: () => closeSync(fd) };
}
