// A network namespace for a test file: nothing in it reaches the machine's own network.
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { call } from '../../mini-docker/linux/call.ts';
import { CLONE } from '../../mini-docker/linux/constants.ts';
import { unshare } from '../../mini-docker/linux/syscalls.ts';

/**
 * Moves the main thread, and so every process that it spawns from now on, into a new network namespace whose
 * lo is up. Pool threads stay behind: read and write /proc/sys/net with the synchronous functions of
 * node:fs.
 */
export function enterOwnNetwork(): void {
  const before = readlinkSync('/proc/thread-self/ns/net');
  call(unshare(CLONE.NEWNET));
  if (readlinkSync('/proc/thread-self/ns/net') === before) throw new Error("still in the machine's network");
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
}

/** Output of `ip -json …` (iproute2) for this thread's network namespace, or for a process's. */
// biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON
export function ip(command: string, pid?: number): any[] {
  const words = ['ip', '-json', '-details', ...command.split(' ')];
  const line = pid === undefined ? words : ['nsenter', `--net=/proc/${pid}/ns/net`, ...words];
  const output = execFileSync(line[0]!, line.slice(1), { encoding: 'utf8' }).trim();
  // Older versions print nothing for an empty list, and empty objects in place of filtered ones.
  const found = output === '' ? [] : JSON.parse(output);
  return found.filter((each: object) => Object.keys(each).length > 0);
}
