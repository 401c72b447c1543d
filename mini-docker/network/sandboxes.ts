// The network namespaces of running containers as files (a container's SandboxKey), for nsenter(1), ip-netns(8) and other
// programs that name a namespace by a path. Each is a symbolic link below the run directory to a process in the
// namespace. Docker makes bind mounts, but the kernel copies all mounts into each new mount namespace, so that starts
// would become slower with each container that runs. The links are for those programs only: the daemon finds a
// namespace by a process in it.
import { readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirectory, type Tell } from '../linux/kept-file.ts';
import { removeTreeNow } from '../linux/remove-tree.ts';

export interface Sandboxes {
  /** Names the network namespace of a process. When that ends before others in the namespace, name one of those. */
  keep(containerId: string, pid: number): void;
  /** Idempotent. */
  drop(containerId: string): void;
  /** Path of the container's namespace; '' for a container without one of its own. */
  keyOf(containerId: string): string;
  /** Names what is missing and the host's own namespace, and removes the rest. */
  keepOnly(running: readonly { containerId: string; pid: number }[]): void;
  close(): void;
}

/** As docker calls the host's own namespace. */
const HOST = 'default';

export function createSandboxes(directory: string, tell: Tell): Sandboxes {
  /** By container. */
  const kept = new Map<string, { name: string; pid: number }>();
  const ours = namespaceOf(process.pid);
  const path = (name: string): string => join(directory, name);
  const remove = (name: string): void => removeTreeNow(path(name));
  const link = (name: string, pid: number): void => {
    try {
      symlinkSync(netOf(pid), path(name));
    } catch {
      ensureDirectory(directory, { mode: 0o755, tell });
      remove(name);
      symlinkSync(netOf(pid), path(name));
    }
  };
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      tell(`${what}: ${(error as Error).message}`);
    }
  };

  return {
    keep(containerId, pid) {
      if (kept.get(containerId)?.pid === pid) return;
      const name = namespaceOf(pid) === ours ? HOST : containerId.slice(0, 12);
      if (name !== HOST) link(name, pid);
      kept.set(containerId, { name, pid });
    },
    drop(containerId) {
      const { name } = kept.get(containerId) ?? { name: HOST };
      kept.delete(containerId);
      if (name !== HOST) remove(name);
    },
    keyOf(containerId) {
      const found = kept.get(containerId);
      return found === undefined ? '' : path(found.name);
    },
    keepOnly(running) {
      attempt("the host's network namespace has no file", () => link(HOST, process.pid));
      for (const { containerId, pid } of running)
        attempt(`container ${containerId.slice(0, 12)} has no file of its network namespace`, () =>
          this.keep(containerId, pid),
        );
      const needed = new Set([HOST, ...[...kept.values()].map(each => each.name)]);
      attempt('files of network namespaces cannot be removed', () => {
        for (const name of readdirSync(directory)) if (!needed.has(name)) remove(name);
      });
    },
    close: () => remove(HOST),
  };
}

const netOf = (pid: number): string => `/proc/${pid}/ns/net`;

/** Inode, which identifies a namespace; undefined when the process has ended. */
const namespaceOf = (pid: number): number | undefined => statSync(netOf(pid), { throwIfNoEntry: false })?.ino;
