// Mounts of control groups that no mount namespace has, and hierarchies of cgroup v1 that have a name and no controllers.
// cgroups(7)
import { closeSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, FSCONFIG, FSMOUNT, FSOPEN, fsconfig, fsmount, fsopen, MOUNT_ATTR } from '#linux';
import { hasMaker } from './maker.ts';

const PREFIX = 'mini-docker-escapes-';
/** Milliseconds for which a removed group still counts. */
const LINGERING = 50;
/** Milliseconds to wait for the end of a hierarchy. */
const PATIENCE = 2000;

export function hierarchyOf(maker: string): string {
  return PREFIX + maker;
}

/** The maker of a hierarchy, for hasMaker(). */
export function makerOf(hierarchy: string): string {
  return hierarchy.slice(PREFIX.length);
}

/** The hierarchies of sandboxes with escapes. */
export function escapeHierarchies(): string[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const names = lines.flatMap(line => /^\d+:name=([^:]*):/.exec(line)?.[1] ?? []);
  return names.filter(name => name.startsWith(PREFIX));
}

/**
 * A detached mount: no mount namespace has it, and the hierarchy lives as long as the descriptor.
 * @returns the descriptor
 * @throws SyscallError EBUSY when one of this name is just ending
 */
export function mountHierarchy(name: string): number {
  return mountDetached('cgroup', context => {
    call(fsconfig(context, FSCONFIG.SET_FLAG, 'none', null, 0));
    call(fsconfig(context, FSCONFIG.SET_STRING, 'name', name, 0));
  });
}

/** A detached mount of the v2 tree. */
export function mountTree(): number {
  return mountDetached('cgroup2', () => {});
}

function mountDetached(type: 'cgroup' | 'cgroup2', configure: (context: number) => void): number {
  const context = call(fsopen(type, FSOPEN.CLOEXEC));
  try {
    configure(context);
    call(fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0));
    return call(fsmount(context, FSMOUNT.CLOEXEC, MOUNT_ATTR.NOEXEC));
  } finally {
    closeSync(context);
  }
}

/**
 * A hierarchy ends with its last mount, except if it has groups then; and a removed group lingers for milliseconds.
 */
export async function removeHierarchy(name: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(20)) {
    if (!escapeHierarchies().includes(name)) return;
    try {
      using mounted = new DisposableStack();
      const mount = mounted.adopt(mountHierarchy(name), closeSync);
      for (const group of groupsBelow(`/proc/self/fd/${mount}`)) rmdirSync(group);
    } catch {}
  }
}

/** Ends it after its last group was removed, if nothing else has it mounted. */
export async function endHierarchy(name: string): Promise<void> {
  await sleep(LINGERING);
  try {
    closeSync(mountHierarchy(name));
  } catch {}
}

/** Deepest first; without those of sandboxes that exist. */
function groupsBelow(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true }).filter(
    entry => entry.isDirectory() && !hasMaker(entry.name),
  );
  const children = entries.map(({ name }) => join(directory, name));
  return children.flatMap(child => [...groupsBelow(child), child]);
}
