// Decides which of the machine's file systems a sandbox shows, and how: everything that programs need is visible and
// can be changed, but no change reaches the disk.
import type { MountInfo } from '#linux';

export interface Covering {
  /** The mount point, the same inside the sandbox. */
  path: string;
  /** 'layer': under a layer in memory if the kernel supports it, otherwise read-only. */
  as: 'layer' | 'read-only';
}

/** File systems on disks, and those that take their place in virtual machines and containers. */
const DISKS = /^(ext[234]|xfs|btrfs|f2fs|zfs|bcachefs|jfs|reiserfs|overlay|9p|virtiofs|nfs4?|fuse\..*)$/;

/** Directories of programs and libraries, which may be separate file systems. */
const PROGRAMS = /^\/(bin|sbin|lib\w*|usr|opt|nix|etc|var|snap)(\/|$)/;

/** Directories that each sandbox makes for itself. */
export const OWN = /^\/(proc|sys|dev|run|tmp)(\/|$)/;

/** @param needed paths that must be visible inside: the course, and the work to check */
export function coverings(mounts: readonly MountInfo[], needed: readonly string[]): Covering[] {
  const found = new Map<string, Covering>();
  for (const { mountPoint, type } of mounts) {
    // A later mount on the same mount point hides the earlier one.
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

/** Top-level directories that contain the machine's programs and what they need to run. */
const SYSTEM = /^(bin|sbin|lib\w*|usr|etc|nix|gnu)$/;

/** Shows the machine's programs and nothing else: no home directories, no data, no shared working directories. */
export function programsOnly(
  mounts: readonly MountInfo[],
  entries: readonly { name: string; link?: string }[],
): { coverings: Covering[]; links: { path: string; to: string }[] } {
  const system = entries.filter(({ name }) => SYSTEM.test(name));
  const directories = system.filter(({ link }) => link === undefined).map(({ name }) => `/${name}`);
  const mounted = coverings(mounts, []).map(({ path }) => path);
  const paths = [
    ...directories,
    ...mounted.filter(path => directories.some(each => path !== each && isBelow(path, each))),
  ];
  return {
    coverings: paths.map(path => ({ path, as: 'read-only' })),
    links: system.flatMap(({ name, link }) => (link === undefined ? [] : [{ path: `/${name}`, to: link }])),
  };
}

export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
