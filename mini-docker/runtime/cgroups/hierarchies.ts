// Finds the mounted cgroup file systems of this machine, and the controllers of each.

import { accessSync, constants, readFileSync } from 'node:fs';
import { inUserNamespace } from '../../linux/own-user-namespace.ts';
import { decodeCgroup } from '../../linux/proc/cgroup.ts';
import { decodeMountinfo } from '../../linux/proc/mountinfo.ts';
import { CgroupError } from './cgroup.ts';

export type Hierarchies = HierarchiesV1 | HierarchyV2 | NoHierarchy;

export interface HierarchiesV1 {
  version: 1;
  /** Hierarchies with the mount points of their roots, in the order of /proc/self/mountinfo. */
  hierarchies: HierarchyV1[];
}

export interface HierarchyV1 {
  mountPoint: string;
  /**
   * 'cpu', 'cpuacct', …; for a hierarchy without a controller its name: 'name=systemd'; '' for the empty
   * unified one.
   */
  controllers: string[];
}

export interface HierarchyV2 {
  version: 2;
  /** Directory below which containers have their groups: the root, or the group that was delegated. */
  mountPoint: string;
  /** Directory of the root, where a group was delegated. */
  root?: string;
}

/** This process may make no control groups. */
export interface NoHierarchy {
  version: 'none';
  /** Why not, and the remedy, for errors. */
  reason: string;
}

let read: Hierarchies | undefined;

/** As this process saw them at its first call. */
export function readHierarchies(): Hierarchies {
  read ??= readOnce();
  return read;
}

function readOnce(): Hierarchies {
  const files = {
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    ownCgroups: readFileSync('/proc/self/cgroup', 'utf8'),
  };
  return inUserNamespace() ? delegated(files) : decodeHierarchies(files);
}

/** Version 1 is never delegated: it trusts whoever may write to it (cgroups(7), "Delegation"). */
function delegated(files: { mountinfo: string; ownCgroups: string }): Hierarchies {
  const found = decodeHierarchies(files);
  if (found.version !== 2)
    return {
      version: 'none',
      reason: 'without root it needs control groups of version 2, and this machine has version 1',
    };
  const own = ownGroups(files.ownCgroups).get('') ?? '';
  const mountPoint = delegatedGroups(own)
    .map(group => found.mountPoint + group)
    .find(mayHaveGroups);
  if (mountPoint !== undefined) return { version: 2, mountPoint, root: found.mountPoint };
  return {
    version: 'none',
    reason:
      'without root it needs a control group that systemd delegates: let systemd start the daemon (mini-docker system install --user)',
  };
}

/**
 * The groups below which an ordinary user's containers may have theirs, the best one first.
 *
 * All of user@UID.service is the user's. In the daemon's own service below it, containers would keep systemd from
 * starting the service again, since a group with controllers for groups below it takes no process.
 * @param own the daemon's own group
 */
export function delegatedGroups(own: string): string[] {
  const [, users] = /^(.*\/user@\d+\.service)\//.exec(own) ?? [];
  // An earlier daemon has moved itself and its helpers down (v2-controllers.ts), and this one may be its child.
  return [...(users === undefined ? [] : [users]), own.replace(/\/init$/, '')];
}

function mayHaveGroups(directory: string): boolean {
  try {
    for (const file of ['cgroup.procs', 'cgroup.subtree_control'])
      accessSync(`${directory}/${file}`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Version 1 if any v1 controller is mounted (a hybrid host has an empty v2 tree beside them), else version 2.
 * Hierarchies without a controller count only if this process is in a non-root cgroup there: a service
 * manager uses them to track the processes of a service, and would kill the containers together with the
 * service.
 * See proc_pid_mountinfo(5) and cgroups(7).
 */
export function decodeHierarchies(files: { mountinfo: string; ownCgroups: string }): Hierarchies {
  const own = ownGroups(files.ownCgroups);
  const known = new Set(own.keys());
  const v1: HierarchyV1[] = [];
  let unified: string | undefined;
  for (const { type, mountPoint, superOptions } of decodeMountinfo(files.mountinfo)) {
    if (type === 'cgroup2') unified ??= mountPoint;
    if (type !== 'cgroup') continue;
    const controllers = superOptions.filter(option => known.has(option));
    const seen = v1.some(hierarchy => hierarchy.controllers.some(name => controllers.includes(name)));
    if (controllers.length > 0 && !seen) v1.push({ mountPoint, controllers });
  }
  const isNamed = (name: string) => name.startsWith('name=');
  if (v1.some(hierarchy => !hierarchy.controllers.every(isNamed))) {
    const hierarchies = v1.filter(
      ({ controllers }) => !controllers.every(isNamed) || controllers.some(name => own.get(name) !== '/'),
    );
    if (unified !== undefined && (own.get('') ?? '/') !== '/') {
      hierarchies.push({ mountPoint: unified, controllers: [''] });
    }
    return { version: 1, hierarchies };
  }
  if (unified !== undefined) return { version: 2, mountPoint: unified };
  throw new CgroupError(
    'no cgroup file system is mounted, and containers need one: mount -t cgroup2 none /sys/fs/cgroup',
  );
}

/** This process's cgroups by controller: 'memory' → '/user.slice'. '' is the unified hierarchy. */
function ownGroups(file: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const { controllers, path } of decodeCgroup(file))
    for (const controller of controllers.length === 0 ? [''] : controllers) groups.set(controller, path);
  return groups;
}
