// The mounts that a box's process 1 sees, with the layers of overlays.
import type { MountTable, MountView } from '../formats/view.ts';
import { readBeginning } from '../linux/proc/file.ts';
import { decodeMountinfo, type MountInfo } from '../linux/proc/mountinfo.ts';

/** Mounts that are read, and bytes: a container may have 100,000 of them (sysctl fs.mount-max). */
const MOST = 500;
const MOST_BYTES = 256 * 1024;

export function readMounts(pid: number): Pick<MountTable, 'mounts' | 'more'> {
  const text = readBeginning(`/proc/${pid}/mountinfo`, MOST_BYTES);
  // The last line may be cut.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  return {
    mounts: folded(decodeMountinfo(lines.slice(0, MOST).join('\n')).map(shaped)),
    more: lines.length > MOST || whole !== text,
  };
}

/**
 * Some forty files of a /proc are each a read-only mount of themselves (runtime/kernel-files.ts): one entry for all of
 * them, at the first one's place.
 */
function folded(mounts: MountView[]): MountView[] {
  const isFolded = ({ point, type, root, readonly }: MountView): boolean =>
    readonly && type === 'proc' && root !== undefined && point === `/proc${root}` && !CHOSEN.test(root);
  const files = mounts.filter(isFolded);
  if (files.length < 2) return mounts;
  const [first] = files;
  return mounts
    .filter(mount => mount === first || !isFolded(mount))
    .map(mount => {
      if (mount !== first) return mount;
      const { root, ...others } = mount;
      return { ...others, point: `${mount.point} and ${files.length - 1} other files of the kernel` };
    });
}

/** What Docker, too, mounts read-only. */
const CHOSEN = /^\/(?:bus|fs|irq|sys|sysrq-trigger)$/;

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
