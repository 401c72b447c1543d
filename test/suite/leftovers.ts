// Finds what a test run has left on the machine, according to the kernel and the file system.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readMountinfo } from '../../mini-docker/linux/proc/mountinfo.ts';
import { readStat } from '../../mini-docker/linux/proc/stat.ts';

/** Environment variable that marks the processes of a run; their children inherit it. */
export const MARKER = 'MINI_DOCKER_TEST_RUN';

/** Objects of the whole machine by kind, each under a key that identifies it. */
export type Snapshot = Record<'mount' | 'link' | 'cgroup' | 'nft table', Map<string, string>>;

export interface LeftProcess {
  pid: number;
  text: string;
}

export function snapshot(): Snapshot {
  return { mount: mounts(), link: links(), cgroup: cgroups(), 'nft table': nftTables() };
}

/** 'cgroup /sys/fs/cgroup/pids/mini-docker/…' for each object that is new. */
export function added(before: Snapshot, after: Snapshot): string[] {
  return (Object.keys(after) as (keyof Snapshot)[]).flatMap(kind =>
    [...after[kind]].filter(([key]) => !before[kind].has(key)).map(([, text]) => `${kind} ${text}`),
  );
}

/**
 * Our objects contain the product's name, or are on one of the run's directories, whose names contain it.
 */
const ours = /mini-docker/;
const ourLinks = /^(mini-|veth[0-9a-f]{7}$)/;

function mounts(): Map<string, string> {
  const found = (readMountinfo() ?? []).map(mount => [
    `${mount.id}`,
    `${mount.mountPoint} (${mount.type} ${mount.source} ${mount.superOptions.join()})`,
  ]);
  return new Map(found.filter(([, text]) => ours.test(text!)) as [string, string][]);
}

function links(): Map<string, string> {
  return new Map(
    readdirSync('/sys/class/net')
      .filter(name => ourLinks.test(name))
      .map(name => [name, name]),
  );
}

/** The cgroups of every hierarchy. */
function cgroups(): Map<string, string> {
  const found = globSync('/sys/fs/cgroup/{,*/}mini-docker*{,/*}').filter(path =>
    existsSync(join(path, 'cgroup.procs')),
  );
  return new Map(found.map(path => [path, path]));
}

/** Process ids in a group and in its direct children. */
export function membersOf(cgroup: string): number[] {
  const files = globSync(`${cgroup}/{,*/}cgroup.procs`);
  return files.flatMap(file => readFileOr(file).split('\n').filter(Boolean).map(Number));
}

function nftTables(): Map<string, string> {
  const { stdout } = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  const lines = (stdout ?? '').split('\n').filter(line => ours.test(line));
  return new Map(lines.map(line => [line, line.replace(/^table /, '')]));
}

/** Names of the files left in the run's directory for temporary files. */
export function leftFiles(directory: string): string[] {
  return readdirSync(directory).map(name => join(directory, name));
}

/**
 * Processes of the run `id` that are still alive: recognized by their initial environment, which the helpers of a daemon
 * inherit, or, where that was another one (containers, their monitors), by their use of the run's directory.
 */
export function leftProcesses(id: string, directory: string): LeftProcess[] {
  const found: LeftProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    // The runner is not found this way: it set the variable after its start, and only the initial
    // environment shows.
    if (!Number.isInteger(pid) || pid === process.pid || ownThread(pid)) continue;
    const why = belongs(pid, id, directory);
    if (why !== undefined) found.push({ pid, text: `process ${pid} (${commandLine(pid)}), ${why}` });
  }
  return found;
}

function ownThread(pid: number): boolean {
  return readStat(pid)?.ppid === process.pid && commandLine(pid).includes('vitest');
}

function belongs(pid: number, id: string, directory: string): string | undefined {
  if (contents(pid, 'environ').includes(`${MARKER}=${id}\0`)) return 'started by a test';
  if (contents(pid, 'cmdline').includes(directory)) return "with the run's directory in its command line";
  if (contents(pid, 'mountinfo').includes(directory)) return "with a mount of the run's directory";
  const used = ['cwd', 'root', 'exe', ...openFiles(pid)].map(link => linkOf(`/proc/${pid}/${link}`));
  return used.some(path => path.startsWith(directory)) ? "in the run's directory" : undefined;
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => `fd/${fd}`);
  } catch {
    return [];
  }
}

function contents(pid: number, file: string): string {
  return `${readFileOr(`/proc/${pid}/${file}`)}\0`;
}

/** The file's contents; '' when it has disappeared. */
function readFileOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function commandLine(pid: number): string {
  return contents(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 200) || 'a zombie';
}
