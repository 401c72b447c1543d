// /proc/PID/mountinfo: the mounts of a process's mount namespace that lie below its root. proc_pid_mountinfo(5)
import { type Pid, readProcFile } from './file.ts';

export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** 'major:minor' of the filesystem. */
  readonly device: string;
  /**
   * Directory (or file) of the filesystem that is mounted: '/' unless bind-mounted, or below another root.
   */
  readonly root: string;
  /** Mount point, relative to the process's root directory. */
  readonly mountPoint: string;
  /** Options of this mount: 'ro', 'nosuid', … */
  readonly options: readonly string[];
  readonly propagation: Propagation;
  /** Filesystem type: 'ext4', 'fuse.sshfs', … */
  readonly type: string;
  readonly source: string;
  /** Options of the filesystem: 'ro', 'lowerdir=…', … */
  readonly superOptions: readonly string[];
}

/** Propagation of mounts; private when all fields are missing. mount_namespaces(7) */
export interface Propagation {
  /** Peer group with which the mount exchanges mounts. */
  readonly shared?: number;
  /** Peer group from which the mount receives mounts. */
  readonly master?: number;
  /** Nearest sending peer group under the reader's root, where `master` is outside of that root. */
  readonly propagateFrom?: number;
  readonly unbindable?: true;
}

/** Decodes mounts in the kernel's order: of several mounts on one mount point, the last one is visible. */
export function decodeMountinfo(text: string): MountInfo[] {
  return text.split('\n').filter(Boolean).map(decodeLine);
}

/** Reads /proc/PID/mountinfo; undefined when there is no such process. */
export function readMountinfo(pid: Pid = 'self'): MountInfo[] | undefined {
  const text = readProcFile(pid, 'mountinfo');
  return text === undefined ? undefined : decodeMountinfo(text);
}

/** The visible mount at a path that is a mount point. */
export function mountAt(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  return mounts.findLast(mount => mount.mountPoint === path);
}

/** The mount that contains an absolute, normalized path without symlinks. */
export function mountOf(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const mount = mountAt(mounts, at);
    if (mount !== undefined || at === '/' || at === '') return mount;
  }
}

function decodeLine(line: string): MountInfo {
  const fields = line.split(' ');
  // Fields hold no spaces (they are escaped), so the first lone hyphen after the sixth ends the optional ones.
  const hyphen = fields.indexOf('-', 6);
  const [id, parent, device, root, mountPoint, options] = fields;
  const [type, source, superOptions] = fields.slice(hyphen + 1);
  if (hyphen < 0 || superOptions === undefined || options === undefined) {
    throw new Error(`mountinfo: not a line of it: ${line}`);
  }
  return {
    id: Number(id),
    parent: Number(parent),
    device: device!,
    root: decodeEscapes(root!),
    mountPoint: decodeEscapes(mountPoint!),
    options: options.split(','),
    propagation: decodePropagation(fields.slice(6, hyphen)),
    type: decodeEscapes(type!),
    source: decodeEscapes(source!),
    superOptions: superOptions.split(',').map(decodeEscapes),
  };
}

function decodePropagation(fields: readonly string[]): Propagation {
  const found: { -readonly [K in keyof Propagation]: Propagation[K] } = {};
  for (const field of fields) {
    const [tag, value] = field.split(':');
    if (tag === 'shared') found.shared = Number(value);
    if (tag === 'master') found.master = Number(value);
    if (tag === 'propagate_from') found.propagateFrom = Number(value);
    if (tag === 'unbindable') found.unbindable = true;
  }
  return found;
}

/** Space, tab, newline, backslash and # are written as three octal digits (mangle() in fs/proc_namespace.c). */
function decodeEscapes(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
