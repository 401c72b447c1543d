// What a daemon holds, as the kernel counts it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDaemon } from '../support/daemon.ts';

/** Megabytes of memory that the daemon has resident. */
export function residentMegabytes({ pid }: TestDaemon): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** Milliseconds of processor time that the daemon has used. */
export function processorTime({ pid }: TestDaemon): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What must be the same before and after: names by the kind of what is counted. */
export type Holdings = Record<
  'descriptor' | 'file of the data root' | 'file of the run directory' | 'control group' | 'link' | 'rule',
  string[]
>;

export function holdings(daemon: TestDaemon): Holdings {
  const inside = (program: string, ...args: string[]) =>
    execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', program, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
      .split('\n')
      .map(line => line.trim());
  return {
    descriptor: readdirSync(`/proc/${daemon.pid}/fd`),
    'file of the data root': filesBelow(daemon.dataRoot),
    'file of the run directory': filesBelow(daemon.runDir),
    'control group': controlGroups(daemon),
    link: inside('ip', '-br', 'link').map(line => line.split(/[@ ]/)[0]!),
    rule: inside('nft', 'list', 'ruleset'),
  };
}

/** The copy of a record is written some time after the record, and counts only without it. */
function filesBelow(directory: string): string[] {
  for (;;) {
    try {
      const found = new Set(readdirSync(directory, { recursive: true, encoding: 'utf8' }));
      return [...found].filter(name => !name.endsWith('.last') || !found.has(name.slice(0, -'.last'.length)));
    } catch (error) {
      // A directory that is being deleted.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Groups of its containers; other daemons may have theirs beside them. */
function controlGroups(daemon: TestDaemon): string[] {
  const ids = readdirSync(join(daemon.dataRoot, 'containers')).map(name => name.slice(-64));
  const places = ['.', ...readdirSync('/sys/fs/cgroup')].map(each =>
    join('/sys/fs/cgroup', each, 'mini-docker'),
  );
  return ids.filter(id => places.some(place => existsSync(join(place, id))));
}

/** Waits for what is done in the background. @returns one line for each kind of which there is more than before */
export async function grown(daemon: TestDaemon, before: Holdings, patience = 20_000): Promise<string[]> {
  for (const deadline = Date.now() + patience; ; await sleep(200)) {
    const after = holdings(daemon);
    const more = (Object.keys(before) as (keyof Holdings)[]).filter(
      key => after[key].length > before[key].length + (key === 'descriptor' ? SPARE : 0),
    );
    if (more.length === 0) return [];
    if (Date.now() < deadline) continue;
    return more.map(key => {
      const fresh = after[key].filter(each => !before[key].includes(each));
      return `${after[key].length - before[key].length} more of the kind ${key}: ${fresh.slice(0, 8).join(', ')}`;
    });
  }
}

/** Descriptors that a daemon opens once and for all, and those of connections that are about to end. */
const SPARE = 16;

/** The daemon's memory once it has been idle: it gives back what it holds for later. */
export async function idleMegabytes(daemon: TestDaemon, patience: number): Promise<number> {
  let least = residentMegabytes(daemon);
  for (const deadline = Date.now() + patience; Date.now() < deadline; await sleep(250))
    least = Math.min(least, residentMegabytes(daemon));
  return least;
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}
