// A daemon that a command started makes room for the one that systemd is to start.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quietly } from '../../formats/quietly.ts';
import { CommandError } from '../errors.ts';

/** Milliseconds for a daemon to end, which may have to stop its containers first. */
const PATIENCE = 60_000;

/**
 * Resolves when no daemon but the service's holds the data root's lock. Containers go on, and the next daemon finds them.
 * @param options.service name of the unit whose daemon may stay
 * @returns the pid of the daemon that was stopped
 */
export async function stopOtherDaemon(options: {
  dataRoot: string;
  service: string;
}): Promise<number | undefined> {
  const { dataRoot, service } = options;
  const lock = join(dataRoot, 'daemon.lock');
  const pid = holder(lock);
  if (pid === undefined || isIn(pid, service)) return undefined;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + PATIENCE;
  while (hasOpen(pid, lock)) {
    if (Date.now() > deadline)
      throw new CommandError(`the daemon that runs (pid ${pid}) does not end: stop it, and try again`);
    await sleep(20);
  }
  return pid;
}

/** The daemon writes its pid into the lock; a killed one has left it there, and the number may be another process's. */
function holder(lock: string): number | undefined {
  const pid = Number(quietly(() => readFileSync(lock, 'utf8')));
  return Number.isInteger(pid) && pid > 1 && hasOpen(pid, lock) ? pid : undefined;
}

function hasOpen(pid: number, path: string): boolean {
  const directory = `/proc/${pid}/fd`;
  const open = quietly(() => readdirSync(directory)) ?? [];
  return open.some(fd => quietly(() => readlinkSync(join(directory, fd))) === path);
}

function isIn(pid: number, service: string): boolean {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${service}`);
}
