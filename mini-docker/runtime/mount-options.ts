// Parses the mount options of the runtime spec, in the form of mount(8), and sorts them by their recipient.
import { splitAt } from '../formats/split.ts';
import { MOUNT_ATTR, MS } from '../linux/constants.ts';

export interface MountOptions {
  /** MOUNT_ATTR bits of the mount itself. */
  attributes: number;
  /** Attributes of the mount and of all mounts below it: 'rro', 'rexec', … */
  below: { set: number; clear: number };
  bind: boolean;
  recursive: boolean;
  /** Whether id maps apply to the mounts below, too. */
  recursiveMap: boolean;
  /** MS_PRIVATE, MS_SLAVE, … with MS_REC; undefined to leave the propagation unchanged. */
  propagation: number | undefined;
  /** Options of the filesystem: ['size', '64m'], or ['nosuchflag', undefined]. */
  data: [key: string, value: string | undefined][];
}

const attributes: Record<string, number> = {
  ro: MOUNT_ATTR.RDONLY,
  nosuid: MOUNT_ATTR.NOSUID,
  nodev: MOUNT_ATTR.NODEV,
  noexec: MOUNT_ATTR.NOEXEC,
  noatime: MOUNT_ATTR.NOATIME,
  nodiratime: MOUNT_ATTR.NODIRATIME,
  nosymfollow: MOUNT_ATTR.NOSYMFOLLOW,
  strictatime: MOUNT_ATTR.STRICTATIME,
};

/**
 * Options that clear an attribute that an earlier one set. `relatime` is the kernel's default, a field of its
 * own.
 */
const withdrawals: Record<string, number> = {
  rw: MOUNT_ATTR.RDONLY,
  suid: MOUNT_ATTR.NOSUID,
  dev: MOUNT_ATTR.NODEV,
  exec: MOUNT_ATTR.NOEXEC,
  atime: MOUNT_ATTR.NOATIME,
  diratime: MOUNT_ATTR.NODIRATIME,
  relatime: MOUNT_ATTR.NOATIME | MOUNT_ATTR.STRICTATIME,
  nostrictatime: MOUNT_ATTR.STRICTATIME,
  symfollow: MOUNT_ATTR.NOSYMFOLLOW,
  defaults: 0,
  async: 0,
  norelatime: 0,
  loud: 0,
  silent: 0,
  remount: 0,
};

const propagations: Record<string, number> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
  rprivate: MS.PRIVATE | MS.REC,
  rslave: MS.SLAVE | MS.REC,
  rshared: MS.SHARED | MS.REC,
  runbindable: MS.UNBINDABLE | MS.REC,
};

/** All options that do not belong to a filesystem. */
export const OPTION_NAMES: readonly string[] = [
  ...Object.keys({ ...attributes, ...withdrawals, ...propagations }),
  ...Object.keys({ ...attributes, ...withdrawals })
    .filter(isRecursive)
    .map(name => `r${name}`),
  'bind',
  'rbind',
  'tmpcopyup',
  'idmap',
  'ridmap',
].sort();

/** Whether an option has a form that reaches all mounts below. */
function isRecursive(name: string): boolean {
  return name in attributes || (withdrawals[name] ?? 0) !== 0;
}

/** mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"; later options win over earlier ones. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const parsed: MountOptions = {
    attributes: 0,
    below: { set: 0, clear: 0 },
    bind: false,
    recursive: false,
    recursiveMap: false,
    propagation: undefined,
    data: [],
  };
  for (const option of options) {
    if (option === 'bind' || option === 'rbind') {
      parsed.bind = true;
      parsed.recursive ||= option === 'rbind';
    } else if (option === 'idmap' || option === 'ridmap') {
      parsed.recursiveMap ||= option === 'ridmap';
    } else if (option.startsWith('r') && isRecursive(option.slice(1))) {
      changeBelow(parsed.below, option.slice(1));
    } else if (option in attributes) parsed.attributes |= attributes[option]!;
    else if (option in withdrawals) parsed.attributes &= ~withdrawals[option]!;
    else if (option in propagations) parsed.propagation = propagations[option];
    else parsed.data.push(splitAt(option, '='));
  }
  return parsed;
}

function changeBelow(below: MountOptions['below'], name: string): void {
  const bits = attributes[name] ?? 0;
  const withdrawn = withdrawals[name] ?? 0;
  below.set = (below.set & ~withdrawn) | bits;
  below.clear = (below.clear & ~bits) | withdrawn;
  // mount_setattr(2): the times of access are one field, which is cleared as a whole.
  if (((bits | withdrawn) & MOUNT_ATTR.ATIME_FIELD) !== 0) below.clear |= MOUNT_ATTR.ATIME_FIELD;
}
