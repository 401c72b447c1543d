// Files of /proc and /sys that belong to the machine, not to the box: some the box may not read, others not write.
import { because, type Item, MS, mayFail, mount, type Step } from '#linux';

const HIDDEN_FILES = ['kcore', 'keys', 'timer_list', 'sched_debug', 'latency_stats'].map(
  name => `/proc/${name}`,
);
const HIDDEN_DIRECTORIES = ['/proc/acpi', '/proc/scsi', '/sys/firmware'];
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(name => `/proc/${name}`);

/** Steps in the box's root. */
export function closePaths(): Item[] {
  return [
    ...HIDDEN_FILES.map(hideFile),
    ...HIDDEN_DIRECTORIES.map(hideDirectory),
    ...READ_ONLY.flatMap(makeReadOnly),
  ];
}

// ENOENT: not every kernel has each of these files.
function hideFile(path: string): Step {
  return because(
    `${path} tells about the whole machine`,
    mayFail(mount({ source: '/dev/null', target: path, flags: MS.BIND }), 'ENOENT'),
  );
}

function hideDirectory(path: string): Step {
  return because(
    `${path} tells about the whole machine`,
    mayFail(mount({ source: 'nothing', target: path, type: 'tmpfs', flags: MS.RDONLY }), 'ENOENT'),
  );
}

/** As with a volume: a bind mount of the path on itself, which a remount makes read-only. */
function makeReadOnly(path: string): Step[] {
  const kept = MS.NOSUID | MS.NODEV | MS.NOEXEC;
  return [
    mayFail(mount({ source: path, target: path, flags: MS.BIND | MS.REC }), 'ENOENT'),
    because(
      `${path} changes the whole machine`,
      mayFail(mount({ target: path, flags: MS.BIND | MS.REMOUNT | MS.RDONLY | kept }), 'ENOENT', 'EINVAL'),
    ),
  ];
}
