// Failures of mount(2) and fsopen(2) other than missing rights. fs/namespace.c

import { lstatSync, readlinkSync, readSync } from 'node:fs';
import { MS } from '../constants.ts';
import { readQuietly } from '../proc/file.ts';
import { mountAt } from '../proc/mountinfo.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { holders } from './holders.ts';
import {
  absolute,
  fdPath,
  mountHolding,
  mountRootedAt,
  mountsOf,
  reachable,
  statOf,
  sysctl,
} from './probes.ts';

const SOURCE = 0;
const TARGET = 1;
const TYPE = 2;
const FLAGS = 3;

const propagation = {
  SHARED: 'shared',
  PRIVATE: 'private',
  SLAVE: 'slave',
  UNBINDABLE: 'unbindable',
} as const;

function propagationChange(failed: Failed): string | undefined {
  for (const [name, word] of Object.entries(propagation)) {
    if (failed.has(FLAGS, MS[name as keyof typeof propagation])) return word;
  }
  return undefined;
}

/** Whether the call mounts a new filesystem: no bind mount, remount, move, or change of propagation. */
function isNewMount(failed: Failed): boolean {
  const others = [MS.BIND, MS.REMOUNT, MS.MOVE];
  return !others.some(flag => failed.has(FLAGS, flag)) && propagationChange(failed) === undefined;
}

function unknownType(type: string): string | undefined {
  const known = readQuietly('/proc/filesystems')
    ?.split('\n')
    .map(line => line.split('\t')[1]);
  if (known === undefined || type === '' || known.includes(type)) return undefined;
  return `this kernel has no filesystem "${type}" (/proc/filesystems): try modprobe ${type}`;
}

export const mountHints: readonly Hint[] = [
  { calls: ['mount'], code: 'ENODEV', explain: failed => unknownType(failed.text(TYPE)) },
  { calls: ['fsopen'], code: 'ENODEV', explain: failed => unknownType(failed.text(0)) },
  hint(['mount'], 'EINVAL', failed => {
    const change = propagationChange(failed) ?? (failed.has(FLAGS, MS.REMOUNT) ? 'remounted' : undefined);
    if (change === undefined || !failed.seen) return undefined;
    const target = failed.text(TARGET);
    if (mountRootedAt(failed, target) !== undefined) return undefined;
    const done = change === 'remounted' ? change : `made ${change}`;
    return `${target} is not a mount point, and only a mount point can be ${done}: bind it onto itself first (MS_BIND)`;
  }),
  seen(['mount'], 'EINVAL', failed => {
    if (!failed.has(FLAGS, MS.MOVE)) return undefined;
    const source = failed.text(SOURCE);
    const mount = mountRootedAt(failed, source);
    if (mount === undefined) return `${source} is not a mount point: only a whole mount can be moved`;
    const parent = mountsOf(failed).find(({ id }) => id === mount.parent);
    return parent?.propagation.shared === undefined
      ? undefined
      : `${source} lies on ${parent.mountPoint}, which is shared, and a mount cannot be moved away from its parent's peers: make ${parent.mountPoint} private first (MS_PRIVATE)`;
  }),
  seen(['mount'], 'ELOOP', failed => {
    if (!failed.has(FLAGS, MS.MOVE)) return undefined;
    const [source, target] = [absolute(failed, failed.text(SOURCE)), absolute(failed, failed.text(TARGET))];
    return target.startsWith(`${source}/`)
      ? `${target} lies on ${source}, the mount that is to be moved there`
      : undefined;
  }),
  hint(['mount'], 'EINVAL', failed => {
    if (!failed.has(FLAGS, MS.BIND)) return undefined;
    const source = failed.text(SOURCE);
    if (isMountNamespace(failed, source)) {
      return `${source} is a mount namespace, and can be bound only in one that is older, or it would hold itself: do it in the parent's`;
    }
    if (mountHolding(failed, source)?.propagation.unbindable)
      return `${source} is on a mount that was made unbindable (MS_UNBINDABLE)`;
  }),
  seen(['mount'], 'ENOENT', failed => {
    const target = failed.text(TARGET);
    if (statOf(failed, target) === undefined) return `the target ${target} does not exist: make it first`;
    const source = failed.text(SOURCE);
    const wantsSource = failed.has(FLAGS, MS.BIND) || failed.has(FLAGS, MS.MOVE);
    if (wantsSource && statOf(failed, source) === undefined) return `the source ${source} does not exist`;
  }),
  seen(['mount'], 'ENOTDIR', failed => {
    if (!failed.has(FLAGS, MS.BIND)) return undefined;
    const [source, target] = [failed.text(SOURCE), failed.text(TARGET)];
    const kinds = [source, target].map(path =>
      statOf(failed, path)?.isDirectory() ? 'a directory' : 'a file',
    );
    return kinds[0] === kinds[1]
      ? undefined
      : `${source} is ${kinds[0]} and ${target} is ${kinds[1]}: a bind mount joins two of a kind`;
  }),
  seen(['mount'], 'EBUSY', failed => {
    if (!failed.has(FLAGS, MS.REMOUNT | MS.RDONLY)) return undefined;
    const target = failed.text(TARGET);
    return `something on ${target} is open for writing, and that has to end before it can be read-only${holders(failed, target, 'writing')}`;
  }),
  seen(['mount'], 'EBUSY', failed => {
    if (!isNewMount(failed)) return undefined;
    const target = failed.text(TARGET);
    const there = mountAt(mountsOf(failed), absolute(failed, target));
    if (there?.type === failed.text(TYPE)) return `that ${there.type} is mounted on ${target} already`;
  }),
  hint(['mount'], 'ENOTBLK', failed => {
    const source = failed.text(SOURCE);
    return `${failed.text(TYPE)} wants a block device, and ${source} is none: give a file one first (losetup)`;
  }),
  hint(['mount', 'move_mount', 'unshare', 'clone'], 'ENOSPC', failed => {
    const limit = Number(sysctl('fs/mount-max'));
    // A recursive bind mount counts every mount that it copies towards the limit.
    if (mountsOf(failed).length * 2 > limit)
      return `no disk is full: this mount namespace has ${mountsOf(failed).length} mounts, and may have ${limit} (/proc/sys/fs/mount-max)`;
  }),
  // After the new mount calls, the filesystem's own messages can be read from the descriptor. fsopen(2)
  seen(['fsconfig', 'fsmount'], '*', failed => {
    if (failed.pid !== 'self' || !fdPath(failed, 0).includes('fscontext')) return undefined;
    return lastWords(failed.number(0));
  }),
];

function isMountNamespace(failed: Failed, path: string): boolean {
  const link = reachable(failed, path);
  return lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith('mnt:');
}

/** Each read returns one line, "e overlay: No changes allowed", until ENODATA. */
function lastWords(fd: number): string | undefined {
  const lines: string[] = [];
  const line = Buffer.alloc(1024);
  try {
    for (;;) lines.push(line.toString('utf8', 2, readSync(fd, line)).trim());
  } catch {
    return lines.length > 0 ? lines.join('; ') : undefined;
  }
}
