// Opening and creating files, devices and terminals; running out of descriptors. openat2(2), cgroups v1
// devices

import { CAP, IOCTL, MFD, O, RESOLVE, RLIMIT, S_IF } from '../constants.ts';
import { rawSyscall } from '../libc.ts';
import { readQuietly } from '../proc/file.ts';
import { readStat } from '../proc/stat.ts';
import { hostArchitecture } from '../step.ts';
import { prlimit } from '../syscalls.ts';
import { type Failed, type Hint, hint, seen } from './hint.ts';
import { capable, fdPath, inUserNamespace, mountHolding, pathAt, statOf, sysctl } from './probes.ts';

const opens = ['openat', 'openat2'];

/** System calls that return a new descriptor. */
const descriptorMakers = [
  ...[
    'openat',
    'openat2',
    'pipe2',
    'dup3',
    'socket',
    'memfd_create',
    'epoll_create1',
    'eventfd2',
    'pidfd_open',
  ],
  ...['pidfd_getfd', 'fsopen', 'fsmount', 'open_tree', 'fcntl'],
];

/** struct open_how: flags, mode, resolve, 8 bytes each. */
function resolveFlags(failed: Failed): number {
  const how = Buffer.from(failed.bytes(2));
  return how.length >= 24 ? Number(how.readBigUInt64LE(16)) : 0;
}

function openFlagsOf(failed: Failed): number {
  return failed.call === 'openat'
    ? failed.number(2)
    : Number(Buffer.from(failed.bytes(2)).readBigUInt64LE(0));
}

function isDevice(failed: Failed, path: string): boolean {
  const stat = statOf(failed, path);
  return stat !== undefined && (stat.isCharacterDevice() || stat.isBlockDevice());
}

export const fileHints: readonly Hint[] = [
  hint(['openat2'], 'EXDEV', failed => {
    const flags = resolveFlags(failed);
    if (flags & RESOLVE.NO_XDEV)
      return `${failed.text(1)} leads over a mount point, which the caller forbids (RESOLVE_NO_XDEV)`;
    if (flags & RESOLVE.BENEATH)
      return `${failed.text(1)} leads out of the directory that it has to stay in (RESOLVE_BENEATH)`;
  }),
  hint(['openat2'], 'ELOOP', failed => {
    const flags = resolveFlags(failed);
    if (flags & RESOLVE.NO_SYMLINKS)
      return `there is a symbolic link in ${failed.text(1)}, which the caller forbids (RESOLVE_NO_SYMLINKS)`;
    if (flags & RESOLVE.NO_MAGICLINKS)
      return `${failed.text(1)} leads over a link of /proc that is none of the file system's (or in a circle), which the caller forbids (RESOLVE_NO_MAGICLINKS)`;
  }),
  seen(opens, 'EPERM', failed => {
    const path = pathAt(failed, 0, 1);
    if (isDevice(failed, path))
      return `the devices cgroup does not let this process open ${path}${whereCgroup(failed)}`;
  }),
  seen(opens, 'EACCES', failed => {
    const path = pathAt(failed, 0, 1);
    if (!isDevice(failed, path)) return undefined;
    const mount = mountHolding(failed, path);
    if (mount?.options.includes('nodev')) {
      return `device nodes on ${mount.mountPoint} cannot be opened: it is mounted nodev`;
    }
    if (inUserNamespace(failed)) return `devices made or mounted in a user namespace are without effect`;
  }),
  seen(opens, 'ENXIO', failed => {
    const path = pathAt(failed, 0, 1);
    const stat = statOf(failed, path);
    const writes = (openFlagsOf(failed) & (O.WRONLY | O.NONBLOCK)) === (O.WRONLY | O.NONBLOCK);
    if (stat?.isFIFO() && writes) return `no process has the FIFO ${path} open for reading`;
    if (stat?.isSocket()) return `${path} is a socket: use connect, not open`;
    return path === '/dev/tty' ? 'this process has no controlling terminal' : undefined;
  }),
  seen(
    [...opens, 'mkdirat', 'mknodat', 'symlinkat', 'linkat', 'unlinkat', 'fchmodat', 'fchownat'],
    'EROFS',
    failed => {
      const path = pathAt(failed, failed.call === 'symlinkat' ? 1 : 0, failed.call === 'symlinkat' ? 2 : 1);
      const mount = mountHolding(
        failed,
        statOf(failed, path) ? path : path.slice(0, path.lastIndexOf('/')) || '/',
      );
      return (
        mount && `${mount.mountPoint}, where it lies, is mounted read-only (${mount.type} ${mount.source})`
      );
    },
  ),
  seen(['mknodat'], 'EPERM', failed => {
    const type = failed.number(2) & S_IF.MT;
    if (type !== S_IF.CHR && type !== S_IF.BLK) return undefined;
    if (inUserNamespace(failed))
      return "device nodes cannot be made in a user namespace: bind-mount the host's";
    return capable(failed, CAP.MKNOD)
      ? `the devices cgroup does not let this process make that device${whereCgroup(failed)}`
      : 'it takes CAP_MKNOD, which this process does not have (any more)';
  }),
  hint(
    ['memfd_create'],
    'EACCES',
    failed =>
      sysctl('vm/memfd_noexec') === '2' &&
      !failed.has(1, MFD.NOEXEC_SEAL) &&
      'programs in memory are switched off in this pid namespace (/proc/sys/vm/memfd_noexec is 2): set it to 0 or 1, or use MFD_NOEXEC_SEAL',
  ),
  hint(
    ['memfd_create'],
    'EINVAL',
    failed =>
      (failed.has(1, MFD.EXEC) || failed.has(1, MFD.NOEXEC_SEAL)) &&
      sysctl('vm/memfd_noexec') === undefined &&
      'MFD_EXEC and MFD_NOEXEC_SEAL are known since Linux 6.3: leave them out',
  ),
  hint(descriptorMakers, 'EMFILE', failed => {
    if (failed.pid !== 'self') return undefined;
    // Not from /proc/self/limits, which cannot be opened without a free descriptor.
    const limits = Buffer.alloc(16);
    rawSyscall(prlimit.syscall.numbers[hostArchitecture()], [0n, BigInt(RLIMIT.NOFILE), null, limits]);
    return `this process has all ${limits.readBigUInt64LE(0)} descriptors that it may have (ulimit -n) open`;
  }),
  hint(
    descriptorMakers,
    'ENFILE',
    () => 'the machine has as many files open as it may have in all (/proc/sys/fs/file-max)',
  ),
  hint(
    ['dup3'],
    'EINVAL',
    failed =>
      failed.number(0) === failed.number(1) &&
      `both descriptors are ${failed.number(0)}: to keep it over execve clear FD_CLOEXEC (fcntl F_SETFD)`,
  ),
  hint(['ioctl'], 'ENOTTY', failed => {
    const name = Object.entries(IOCTL).find(([, number]) => number === failed.number(1))?.[0];
    if (name && /^T/.test(name) && failed.seen)
      return `${name} is for terminals, and descriptor ${failed.number(0)} is ${fdPath(failed, 0)}`;
  }),
  seen(['ioctl'], 'EPERM', failed => {
    if (failed.number(1) !== IOCTL.TIOCSCTTY) return undefined;
    const { pid, session, tty } = readStat(failed.pid)!;
    if (session !== pid)
      return 'only the leader of a session takes a controlling terminal: call setsid first';
    return tty !== 0
      ? 'this session has a controlling terminal already: call setsid first'
      : 'the terminal is the controlling terminal of another session';
  }),
];

function whereCgroup(failed: Failed): string {
  const devices = /^\d+:[^:]*\bdevices\b[^:]*:(.*)$/m.exec(
    readQuietly(`/proc/${failed.pid}/cgroup`) ?? '',
  )?.[1];
  return devices === undefined ? '' : ` (devices.list of ${devices})`;
}
