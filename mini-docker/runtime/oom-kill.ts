// What is known of the kernel's latest kill in a container for want of memory: which process, when, and whose memory was
// short. The kernel's log says it (mm/oom_kill.c, dump_oom_victim); where it cannot be read, the group's counters say less.

import { type KernelMessage, readKernelLog } from '../linux/kernel-log.ts';
import type { Cgroup } from './cgroups/cgroup.ts';
import type { OomKill } from './container.ts';

/** A limit is reached when no page fits below it; the counters lag by a batch of pages (MEMCG_CHARGE_BATCH). */
const NEARLY = 0.98;

/** Call it while the group is there. */
export function oomKillOf(cgroup: Cgroup): OomKill {
  const { usage, maxUsage = usage, limit } = cgroup.stats().memory;
  const counted: OomKill = {
    scope: maxUsage >= limit * NEARLY ? 'container' : 'host',
    usage: maxUsage,
    limit,
  };
  return { ...counted, ...latestKill(readKernelLog(), cgroup.path) };
}

/** @param group the container's: '/mini-docker/ID' */
export function latestKill(log: readonly KernelMessage[], group: string): Partial<OomKill> {
  const isWithin = (path: string): boolean => path.endsWith(group) || path.includes(`${group}/`);
  const at = log.findLastIndex(({ text }) => {
    const victim = /^oom-kill:.*,task_memcg=([^,]*),/.exec(text);
    return victim !== null && isWithin(victim[1]!);
  });
  if (at < 0) return {};
  const { text, at: time } = log[at]!;
  // The name is the process's own choice and may have commas in it: what follows is taken from the end.
  const [, name = '', pid = ''] = /,task=(.*),pid=(\d+),uid=\d+$/.exec(text) ?? [];
  const short = /^oom-kill:constraint=CONSTRAINT_MEMCG,.*?,oom_memcg=([^,]*),/.exec(text)?.[1];
  const found: Partial<OomKill> = { at: new Date(time).toISOString(), pid: Number(pid), name };
  if (short === undefined) return { ...found, scope: 'host' };
  if (!isWithin(short)) return { ...found, scope: 'group', group: short };
  const before = log.slice(0, at).findLast(each => /^memory: usage \d+kB, limit \d+kB/.test(each.text));
  const [, usage, limit] = /usage (\d+)kB, limit (\d+)kB/.exec(before?.text ?? '') ?? [];
  if (usage === undefined || limit === undefined) return { ...found, scope: 'container' };
  return { ...found, scope: 'container', usage: Number(usage) * 1024, limit: Number(limit) * 1024 };
}
