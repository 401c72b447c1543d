// Writes to the files of cgroups, where errnos have special meanings. cgroups(7),
// Documentation/admin-guide/cgroup-v2.rst

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AT } from '../constants.ts';
import { readQuietly } from '../proc/file.ts';
import { mountOf } from '../proc/mountinfo.ts';
import { type Explanation, type Failed, type Hint, hint } from './hint.ts';
import { fdPath, mountsOf, pathAt } from './probes.ts';

interface CgroupFile {
  version: 1 | 2;
  /** 'cgroup.procs' */
  name: string;
  group: string;
  text: string;
}

const cgroupWrite = (code: string, explain: (file: CgroupFile) => Explanation): Hint =>
  hint(['write', 'pwrite64'], code, failed => {
    const path = fdPath(failed, 0);
    const version = versionOf(failed, path);
    const text = textOf(failed).trim();
    return version && explain({ version, name: basename(path), group: dirname(path), text });
  });

function versionOf(failed: Failed, path: string): 1 | 2 | undefined {
  const type = mountOf(mountsOf(failed), path)?.type;
  return type === 'cgroup' ? 1 : type === 'cgroup2' ? 2 : undefined;
}

function textOf(failed: Failed): string {
  return failed.text(1) || Buffer.from(failed.bytes(1)).toString();
}

const members = ['cgroup.procs', 'cgroup.threads', 'tasks'];

export const cgroupHints: readonly Hint[] = [
  cgroupWrite('EBUSY', ({ version, name, group }) => {
    const enabled = readQuietly(join(group, 'cgroup.subtree_control'))?.trim();
    if (version === 2 && members.includes(name) && enabled)
      return `${group} gives ${enabled} on to its children (cgroup.subtree_control), and such a group can have no processes of its own: join one below it`;
  }),
  cgroupWrite('EBUSY', ({ version, name, group }) => {
    const pids = readQuietly(join(group, 'cgroup.procs'))?.trim().split('\n').filter(Boolean) ?? [];
    if (version === 2 && name === 'cgroup.subtree_control' && pids.length > 0)
      return `${group} has processes of its own (${pids.slice(0, 5).join(', ')}), and cannot give controllers on to children while it has: move them into a group below it`;
  }),
  cgroupWrite('EBUSY', ({ version, name, text, group }) => {
    if (version !== 2 || name !== 'cgroup.subtree_control' || !text.includes('-')) return undefined;
    return `a group below ${group} passes it on: remove it there first`;
  }),
  cgroupWrite('ENOENT', ({ version, name, group, text }) => {
    if (version !== 2 || name !== 'cgroup.subtree_control') return undefined;
    const available = readQuietly(join(group, 'cgroup.controllers'))?.trim().split(' ').filter(Boolean) ?? [];
    const missing = text
      .split(/\s+/)
      .map(word => word.slice(1))
      .filter(word => !available.includes(word));
    if (missing.length > 0)
      return `${group} has no controller ${missing.join(', ')} to give on (it has ${available.join(', ') || 'none'}): the group above it has to enable it, or cgroup v1 holds it`;
  }),
  cgroupWrite('EOPNOTSUPP', ({ version, name, group }) => {
    const type = readQuietly(join(group, 'cgroup.type'))?.trim();
    if (version !== 2 || type === undefined) return undefined;
    return type === 'domain invalid' || type === 'threaded'
      ? `${group} is "${type}" (cgroup.type), as a group above it is threaded: ${name === 'cgroup.procs' ? 'it takes threads only, by cgroup.threads, after it was made threaded' : 'make it threaded first'}`
      : `${group} is a "${type}" group (cgroup.type), which cannot do that`;
  }),
  cgroupWrite('ENOSPC', ({ version, name, group }) => {
    if (version !== 1 || !members.includes(name)) return undefined;
    const empty = ['cpuset.cpus', 'cpuset.mems'].filter(
      file => readQuietly(join(group, file))?.trim() === '',
    );
    if (empty.length > 0)
      return `no disk is full: ${empty.join(' and ')} of ${group} ${empty.length > 1 ? 'are' : 'is'} empty, and a cpuset takes processes only when both are set`;
  }),
  cgroupWrite(
    'ESRCH',
    ({ name, text }) =>
      members.includes(name) && `there is no process ${text} (any more), or it is one of the kernel's`,
  ),
  cgroupWrite('EBUSY', ({ version, name, group }) => {
    if (version !== 1 || !/^memory\..*limit_in_bytes$/.test(name)) return undefined;
    const usage = readQuietly(join(group, name.replace('limit', 'usage')))?.trim();
    return `${group} uses ${usage} bytes, and the kernel could not free enough memory to get below the new limit`;
  }),
  cgroupWrite('EINVAL', ({ version, name, group, text }) => {
    if (version !== 1 || !/^-?\d+[kmg]?$/i.test(text) || !/^memory\.(memsw\.)?limit_in_bytes$/.test(name))
      return undefined;
    const [memory, both] = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map(file =>
      readQuietly(join(group, file))?.trim(),
    );
    return both === undefined
      ? undefined
      : `memory.memsw.limit_in_bytes (${both}) limits memory and swap together, and cannot be below memory.limit_in_bytes (${memory}): raise memsw first, lower it last`;
  }),
  cgroupWrite('EINVAL', ({ name, text }) => `${name} does not take ${JSON.stringify(text)}`),
  cgroupWrite(
    'EACCES',
    ({ version, name, group, text }) =>
      version === 1 &&
      name.startsWith('cpuset.') &&
      `${group} cannot have "${text}", as the group above it has ${JSON.stringify(readQuietly(join(dirname(group), name))?.trim())}`,
  ),
  hint(['unlinkat'], 'EBUSY', failed => {
    const path = pathAt(failed, 0, 1);
    if (!failed.has(2, AT.REMOVEDIR) || versionOf(failed, path) === undefined) return undefined;
    const pids = readQuietly(join(path, 'cgroup.procs'))?.trim().split('\n').filter(Boolean) ?? [];
    return pids.length > 0
      ? `${path} has processes (${pids.slice(0, 5).join(', ')}): they have to end or move first`
      : `there are groups below ${path}: remove those first`;
  }),
  hint(['mkdirat'], 'EAGAIN', failed => {
    const path = dirname(pathAt(failed, 0, 1));
    if (existsSync(join(path, 'cgroup.max.descendants')))
      return `a group may have no more groups below it there (cgroup.max.descendants, cgroup.max.depth, at ${path} or above)`;
  }),
];
