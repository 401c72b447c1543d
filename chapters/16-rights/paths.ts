// Files of /proc and /sys that belong to the machine, not to the box: some the box may not read, others not write.
import { because, type Item, MS, mayFail, mount, type Step } from '#linux';

const HIDDEN_FILES = ['kcore', 'keys', 'timer_list', 'sched_debug', 'latency_stats'].map(
  name => `/proc/${name}`,
);
const HIDDEN_DIRECTORIES = ['/proc/acpi', '/proc/scsi', '/sys/firmware'];
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(name => `/proc/${name}`);

/** Steps in the box's root. */
export function closePaths(): Item[] {
  return [...[...HIDDEN_FILES, ...HIDDEN_DIRECTORIES].flatMap(hide), ...READ_ONLY.flatMap(makeReadOnly)];
}

/** A file is hidden under /dev/null, a directory under an empty one. ENOENT: not every kernel has each of these. */
export function hide(path: string): Step[] {
  const why = `${path} tells about the whole machine`;
  const empty = mount({ source: 'nothing', target: path, type: 'tmpfs', flags: MS.RDONLY });
  return [
    because(why, mayFail(mount({ source: '/dev/null', target: path, flags: MS.BIND }), 'ENOENT', 'ENOTDIR')),
    because(why, mayFail(empty, 'ENOENT', 'ENOTDIR')),
  ];
}

/** As with a volume: a bind mount of the path on itself, which a remount makes read-only. */
export function makeReadOnly(path: string): Step[] {
  const kept = MS.NOSUID | MS.NODEV | MS.NOEXEC;
  return [
    mayFail(mount({ source: path, target: path, flags: MS.BIND | MS.REC }), 'ENOENT'),
    because(
      `${path} changes the whole machine`,
      mayFail(mount({ target: path, flags: MS.BIND | MS.REMOUNT | MS.RDONLY | kept }), 'ENOENT', 'EINVAL'),
    ),
  ];
}
