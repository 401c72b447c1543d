// The mounts that a box's process 1 sees, with the layers of overlays.
import type { MountView } from '../formats/view.ts';
import { type MountInfo, readMountinfo } from '../linux/proc/mountinfo.ts';

/** Mounts that are read: a container may have 100,000 (sysctl fs.mount-max). */
const MOST = 500;

export function readMounts(pid: number): MountView[] {
  return (readMountinfo(pid) ?? []).slice(0, MOST).map(shaped);
}

function shaped(mount: MountInfo): MountView {
  const { id, parent, mountPoint, type, source, root, options, propagation } = mount;
  const layers = type === 'overlay' ? layersOf(mount.superOptions) : [];
  return {
    id,
    parent,
    point: mountPoint,
    type,
    source,
    ...(root === '/' ? {} : { root }),
    readonly: options.includes('ro'),
    propagation: Object.entries(propagation)
      .map(([name, peers]) => (peers === true ? name : `${name}:${peers}`))
      .join(' '),
    ...(layers.length === 0 ? {} : { layers }),
  };
}

/** The directories of an overlay, the writable one first: options repeat `lowerdir+`, or separate them by colons. */
function layersOf(options: readonly string[]): string[] {
  const values = (name: string): string[] =>
    options.filter(option => option.startsWith(`${name}=`)).map(option => option.slice(name.length + 1));
  const lower = [...values('lowerdir').flatMap(value => value.split(/(?<!\\):+/)), ...values('lowerdir+')];
  return [...values('upperdir'), ...lower];
}
