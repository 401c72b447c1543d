// A mount namespace for a test file: the machine sees none of its mounts, and all of them go with it.
import { execFileSync } from 'node:child_process';
import { call } from '../../mini-docker/linux/call.ts';
import { CLONE, MS } from '../../mini-docker/linux/constants.ts';
import { mountCall, unshare } from '../../mini-docker/linux/syscalls.ts';

/**
 * Moves the main thread, and so every process that it spawns from now on, into a new mount namespace with an
 * empty tmpfs on /srv. Pool threads stay behind: use the synchronous functions of node:fs.
 */
export function enterOwnMounts(): void {
  call(unshare(CLONE.NEWNS));
  call(mountCall(null, '/', null, MS.REC | MS.PRIVATE, null));
  call(mountCall('tmpfs', '/srv', 'tmpfs', 0, null));
}

/** Runs a script in a shell that stops at the first failure. */
export function shell(script: string): string {
  return execFileSync('sh', ['-euc', script], { encoding: 'utf8' });
}
