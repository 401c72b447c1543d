// Finds the processes, mounts and cgroups that a daemon under test has left on the machine. The kernel is
// asked, not the daemon.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ids of the containers that have a directory below a data root. */
export function containerIds(dataRoot: string): string[] {
  return quietly(() => readdirSync(join(dataRoot, 'containers')), []).filter(name =>
    /^[0-9a-f]{64}$/.test(name),
  );
}

/**
 * Returns one line for each process that has a file or a mount below `directory`, is in the cgroup of one of `ids`
 * or in the network namespace `network`, and for each such cgroup. Waits up to two seconds for processes that are ending, and kills those
 * that remain.
 */
export async function leftBehind(options: Traces): Promise<string[]> {
  let found: Leak[] = [];
  for (const deadline = Date.now() + 2000; Date.now() < deadline; ) {
    found = look(options);
    if (found.length === 0) return [];
    await sleep(50);
  }
  for (const { pid } of found) if (pid !== undefined) quietly(() => process.kill(pid, 'SIGKILL'), false);
  return found.map(each => each.text);
}

export interface Traces {
  directory: string;
  ids: string[];
  /** As networkOf() has it; none where other processes are in it, too. */
  network?: string;
}

/** The network namespace of a process: 'net:[4026531840]'. */
export const networkOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/net`);

interface Leak {
  text: string;
  pid?: number;
}

function look(options: Traces): Leak[] {
  return [...processes(options), ...cgroups(options.ids)];
}

function* processes(options: Traces): Generator<Leak> {
  const { directory, ids, network } = options;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const read = (file: string) => quietly(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'), '');
    const cgroup = read('cgroup');
    const fds = quietly(() => readdirSync(`/proc/${pid}/fd`), []).map(fd =>
      quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''),
    );
    const why = ids.some(id => cgroup.includes(id))
      ? 'in the cgroup of a container'
      : fds.some(target => target.startsWith(directory))
        ? 'with an open file of the daemon'
        : read('mountinfo').includes(directory)
          ? 'with a mount of the daemon'
          : network !== undefined && quietly(() => networkOf(pid), '?') === network
            ? 'in the network of the daemon'
            : undefined;
    if (why) yield { pid, text: `process ${pid} (${read('cmdline').replaceAll('\0', ' ').trim()}) ${why}` };
  }
}

function* cgroups(ids: string[]): Generator<Leak> {
  const root = '/sys/fs/cgroup';
  for (const hierarchy of ['.', ...quietly(() => readdirSync(root), [])]) {
    for (const id of ids) {
      const path = join(root, hierarchy, 'mini-docker', id);
      if (existsSync(path)) yield { text: `cgroup ${path}` };
    }
  }
}

/** Runs `look`; returns `otherwise` when the process ends meanwhile. */
function quietly<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
