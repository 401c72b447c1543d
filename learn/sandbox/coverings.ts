// Which of the machine's file systems a sandbox shows, and how: everything that programs need is there and can be
// changed, and no change reaches the disk.
import type { MountInfo } from '#linux';

export interface Covering {
  /** The mount point, the same inside the sandbox. */
  path: string;
  /** A layer of memory over it where the kernel can; else, or always, read-only. */
  as: 'layer' | 'read-only';
}

/** File systems on disks, and those that stand for one in virtual machines and containers. */
const DISKS = /^(ext[234]|xfs|btrfs|f2fs|zfs|bcachefs|jfs|reiserfs|overlay|9p|virtiofs|nfs4?|fuse\..*)$/;

/** Where programs and their libraries live, when these are file systems of their own. */
const PROGRAMS = /^\/(bin|sbin|lib\w*|usr|opt|nix|etc|var|snap)(\/|$)/;

/** Directories that a sandbox has of its own. */
export const OWN = /^\/(proc|sys|dev|run|tmp)(\/|$)/;

/** @param needed paths that must be seen inside: the course, and the work to look at */
export function coverings(mounts: readonly MountInfo[], needed: readonly string[]): Covering[] {
  const found = new Map<string, Covering>();
  for (const { mountPoint, type } of mounts) {
    // A later mount on the same place hides the earlier one.
    found.delete(mountPoint);
    const holdsNeeded = needed.some(path => isBelow(path, mountPoint));
    if (mountPoint !== '/' && !holdsNeeded && !(PROGRAMS.test(mountPoint) && !OWN.test(mountPoint))) continue;
    if (OWN.test(mountPoint) && !holdsNeeded) continue;
    found.set(mountPoint, {
      path: mountPoint,
      as: DISKS.test(type) || holdsNeeded || mountPoint === '/' ? 'layer' : 'read-only',
    });
  }
  for (const path of needed) {
    if (OWN.test(path)) found.set(path, { path, as: 'layer' });
  }
  return [...found.values()].sort((a, b) => a.path.length - b.path.length);
}

export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
