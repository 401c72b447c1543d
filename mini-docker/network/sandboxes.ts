// The network namespaces of running containers as files (a container's SandboxKey), for nsenter(1), ip-netns(8) and other
// programs that name a namespace by a path. Each is a bind mount below the run directory. The mounts are for those
// programs only: the daemon finds a namespace by a process in it. A mount keeps a namespace alive, however, so a
// daemon that starts removes those of containers that ended without it.
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, callAsync } from '../linux/call.ts';
import { MNT, MS } from '../linux/constants.ts';
import { ensureDirectory, type Tell } from '../linux/kept-file.ts';
import { mount } from '../linux/mount.ts';
import { mayFail } from '../linux/step.ts';
import { umount2 } from '../linux/syscalls.ts';

export interface Sandboxes {
  /** Mounts the network namespace of a process, unless the container has its file. 0.1 ms. */
  keep(containerId: string, pid: number): void;
  /** Idempotent. */
  drop(containerId: string): Promise<void>;
  /** Path of the container's namespace; '' for a container without one of its own. */
  keyOf(containerId: string): string;
  /** Mounts what is missing, and removes the rest. */
  keepOnly(running: readonly { containerId: string; pid: number }[]): Promise<void>;
  /** Removes the host's own namespace, when no container needs it. */
  close(): Promise<void>;
}

/** As docker calls the host's own namespace. */
const HOST = 'default';

export function createSandboxes(directory: string, tell: Tell): Sandboxes {
  /** File names, by container. */
  const kept = new Map<string, string>();
  const path = (name: string): string => join(directory, name);

  const unmount = (name: string) => mayFail(umount2(path(name), MNT.DETACH), 'EINVAL', 'ENOENT');
  const put = (name: string, pid: number): void => {
    ensureDirectory(directory, { mode: 0o755, tell });
    const [found, wanted] = [namespaceOf(path(name)), namespaceOf(netOf(pid))];
    // A container that ended a moment ago keeps its namespace for others that are in it.
    if (found !== undefined && (found === wanted || wanted === undefined)) return;
    if (found !== undefined) call(unmount(name));
    writeFileSync(path(name), '', { mode: 0o444 });
    call(mount({ source: netOf(pid), target: path(name), flags: MS.BIND }));
  };
  const remove = async (name: string): Promise<void> => {
    await callAsync(unmount(name));
    rmSync(path(name), { recursive: true, force: true });
  };
  const isNeeded = (name: string): boolean => [...kept.values()].includes(name);

  return {
    keep(containerId, pid) {
      if (kept.has(containerId)) return;
      const isHost = namespaceOf(netOf(pid)) === namespaceOf(netOf('self'));
      const name = isHost ? HOST : containerId.slice(0, 12);
      put(name, pid);
      kept.set(containerId, name);
    },
    async drop(containerId) {
      const name = kept.get(containerId);
      kept.delete(containerId);
      if (name !== undefined && name !== HOST) await remove(name);
    },
    keyOf(containerId) {
      const name = kept.get(containerId);
      return name === undefined ? '' : path(name);
    },
    async keepOnly(running) {
      for (const { containerId, pid } of running) {
        try {
          this.keep(containerId, pid);
        } catch (error) {
          tell(
            `container ${containerId.slice(0, 12)} has no file of its network namespace: ${(error as Error).message}`,
          );
        }
      }
      const found = existsSync(directory) ? readdirSync(directory) : [];
      for (const name of found) if (!isNeeded(name)) await remove(name);
    },
    async close() {
      if (!isNeeded(HOST)) await remove(HOST);
    },
  };
}

const netOf = (pid: number | 'self'): string => `/proc/${pid}/ns/net`;

/** Device and inode, which identify a namespace; undefined where there is no such file. */
function namespaceOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev} ${found.ino}`;
}
