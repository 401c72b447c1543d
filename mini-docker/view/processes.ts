// The processes of a box, and the rights of one.
import type { ProcessView, RightsView } from '../formats/view.ts';
import { CAP } from '../linux/constants.ts';
import { type Pid, readProcFile } from '../linux/proc/file.ts';
import { readStat } from '../linux/proc/stat.ts';
import { readStatus } from '../linux/proc/status.ts';
import { commandLines } from '../runtime/command-lines.ts';
import { lastCapability } from '../runtime/last-capability.ts';

/** Nanoseconds of a clock tick. */
const TICK = 10_000_000;
/** Characters of a command line. */
const LONGEST = 300;

export async function readProcesses(pids: readonly number[]): Promise<ProcessView[]> {
  const found = pids.flatMap(pid => {
    const stat = readStat(pid);
    const status = readStatus(pid);
    return stat === undefined || status === undefined ? [] : [{ stat, status }];
  });
  const commands = await commandsOf(found.map(({ stat }) => stat));
  return found.map(({ stat, status }, index) => ({
    pid: stat.pid,
    parent: stat.ppid,
    inside: status.nspid.at(-1) ?? stat.pid,
    uid: status.uid.effective,
    state: stat.state,
    cpu: (stat.userTime + stat.systemTime) * TICK,
    memory: status.rss ?? 0,
    command: commands[index]!,
  }));
}

/**
 * Command lines by process and name: reading them takes a process of its own (command-lines.ts), and they rarely
 * change without the name, which execve(2) sets.
 */
const known = new Map<string, string>();
const MOST_KNOWN = 2000;

async function commandsOf(
  stats: readonly { pid: number; startTime: number; comm: string }[],
): Promise<string[]> {
  const keys = stats.map(({ pid, startTime, comm }) => `${pid} ${startTime} ${comm}`);
  const missing = stats.filter((_, index) => !known.has(keys[index]!));
  if (known.size > MOST_KNOWN) known.clear();
  const lines = await commandLines(missing.map(({ pid }) => pid));
  for (const [index, { pid, startTime, comm }] of missing.entries()) {
    const line = (lines[index] ?? []).join(' ').slice(0, LONGEST);
    known.set(`${pid} ${startTime} ${comm}`, line === '' ? `[${comm}]` : line);
  }
  return keys.map((key, index) => known.get(key) ?? `[${stats[index]!.comm}]`);
}

/** undefined when the process has ended. */
export function readRights(pid: Pid): RightsView | undefined {
  const status = readStatus(pid);
  if (status === undefined) return undefined;
  const { capabilities, uid, gid, groups, noNewPrivs, seccomp } = status;
  const label = securityLabel(pid);
  return {
    uid: uid.effective,
    gid: gid.effective,
    groups: [...groups],
    uidMap: (readProcFile(pid, 'uid_map') ?? '')
      .split('\n')
      .map(line => line.trim().replace(/\s+/g, ' '))
      .filter(Boolean),
    capabilities: capabilityNames(capabilities.effective),
    bounding: capabilityNames(capabilities.bounding).length,
    all: lastCapability() + 1,
    noNewPrivileges: noNewPrivs,
    seccomp,
    ...(label === undefined ? {} : { label }),
  };
}

/** Names without prefix, in the kernel's order. */
export function capabilityNames(set: bigint): string[] {
  return Object.entries(CAP)
    .filter(([, number]) => (set >> BigInt(number)) & 1n)
    .map(([name]) => name);
}

/** Label of AppArmor or SELinux; undefined where the kernel has neither. */
export function securityLabel(pid: Pid): string | undefined {
  try {
    const text = readProcFile(pid, 'attr/current')?.replace(/[\0\n]+$/, '');
    return text === '' ? undefined : text;
  } catch {
    // EINVAL: no security module with labels is active.
    return undefined;
  }
}
