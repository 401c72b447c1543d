// The table of system calls: the name of each, its number on each architecture, and the kinds of its
// arguments.
import {
  AT,
  CLONE,
  CLOSE_RANGE,
  EPOLL_CTL,
  F,
  FSCONFIG,
  IOCTL,
  KEYCTL,
  LOCK,
  MADV,
  MAP,
  MFD,
  MNT,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  named,
  O,
  OPEN_TREE,
  P,
  PR,
  PROT,
  RENAME,
  RLIMIT,
  SECCOMP,
  SECCOMP_FILTER_FLAG,
  SEEK,
  SIG,
  SPLICE,
  STATX,
  W,
} from './constants.ts';
import { syscall } from './step.ts';
import {
  capabilityData,
  cloneArgs,
  filterProgram,
  groupList,
  mountAttr,
  openHow,
  resourceLimit,
} from './structures.ts';

const { FDCWD: _, ...AT_FLAGS } = AT;
const atFlags = { flags: named('AT', AT_FLAGS) } as const;
const openFlags = { flags: named('O', O) } as const;
/** clone(2) takes the signal that announces the child's end in the lowest byte of its flags. */
const cloneFlags = { flags: { ...named('CLONE', CLONE), SIGCHLD: SIG.CHLD } } as const;
const signal = { one: named('SIG', SIG) } as const;

// Mounts

/** mount(2) */
export const mountCall = syscall('mount', { x64: 165, arm64: 40 }, [
  'string',
  'string',
  'string',
  { flags: named('MS', MS) },
  'string',
]);
/** umount2(2) */
export const umount2 = syscall('umount2', { x64: 166, arm64: 39 }, ['string', { flags: named('MNT', MNT) }]);
/** pivot_root(2): both are directories; new_root must be a mount point, and not on a shared mount. */
export const pivotRoot = syscall('pivot_root', { x64: 155, arm64: 41 }, ['string', 'string']);
/** open_tree(2) */
export const openTree = syscall('open_tree', { x64: 428, arm64: 428 }, [
  'fd',
  'string',
  {
    flags: {
      ...named('OPEN_TREE', OPEN_TREE),
      ...named('AT', {
        RECURSIVE: AT.RECURSIVE,
        EMPTY_PATH: AT.EMPTY_PATH,
        SYMLINK_NOFOLLOW: AT.SYMLINK_NOFOLLOW,
      }),
    },
  },
]);
/** move_mount(2) */
export const moveMount = syscall('move_mount', { x64: 429, arm64: 429 }, [
  'fd',
  'string',
  'fd',
  'string',
  { flags: named('MOVE_MOUNT', MOVE_MOUNT) },
]);
/** fsopen(2): a filesystem context. */
export const fsopen = syscall('fsopen', { x64: 430, arm64: 430 }, [
  'string',
  { flags: { FSOPEN_CLOEXEC: 1 } },
]);
/** fsconfig(2) */
export const fsconfig = syscall('fsconfig', { x64: 431, arm64: 431 }, [
  'fd',
  { one: named('FSCONFIG', FSCONFIG) },
  'string',
  'string',
  'int',
]);
/** fsmount(2): a detached mount from a configured context. */
export const fsmount = syscall('fsmount', { x64: 432, arm64: 432 }, [
  'fd',
  { flags: { FSMOUNT_CLOEXEC: 1 } },
  { flags: named('MOUNT_ATTR', MOUNT_ATTR) },
]);
/** mount_setattr(2): `buffer` is a struct mount_attr of four u64: attr_set, attr_clr, propagation, userns_fd. */
export const mountSetattr = syscall('mount_setattr', { x64: 442, arm64: 442 }, [
  'fd',
  'string',
  atFlags,
  mountAttr,
  'length',
]);
/** chroot(2) */
export const chroot = syscall('chroot', { x64: 161, arm64: 51 }, ['string']);

// Namespaces and processes

/** unshare(2) */
export const unshare = syscall('unshare', { x64: 272, arm64: 97 }, [cloneFlags]);
/** setns(2): fd is that of /proc/PID/ns/NAME, or a pidfd with the CLONE_NEW* flags of several namespaces. */
export const setns = syscall('setns', { x64: 308, arm64: 268 }, ['fd', cloneFlags]);
/** sethostname(2): names this UTS namespace. At most 64 bytes, else EINVAL. */
export const sethostname = syscall('sethostname', { x64: 170, arm64: 161 }, ['string', 'length']);
/** setdomainname(2) */
export const setdomainname = syscall('setdomainname', { x64: 171, arm64: 162 }, ['string', 'length']);
/**
 * clone(2), the raw call: flags with the exit signal in their lowest byte, stack, parent_tid, and the last two, whose
 * order differs between the architectures (x86-64: child_tid, tls). With CLONE_PIDFD parent_tid takes the pidfd.
 */
export const cloneCall = syscall('clone', { x64: 56, arm64: 220 }, [
  cloneFlags,
  'int',
  'buffer',
  'int',
  'int',
]);
/** clone3(2): struct clone_args (structures.ts), and its size. */
export const clone3 = syscall('clone3', { x64: 435, arm64: 435 }, [cloneArgs, 'length']);
/** execve(2) */
export const execve = syscall('execve', { x64: 59, arm64: 221 }, ['string', 'strings', 'strings']);
/** execveat(2) */
export const execveat = syscall('execveat', { x64: 322, arm64: 281 }, [
  'fd',
  'string',
  'strings',
  'strings',
  atFlags,
]);
/** exit_group(2) */
export const exitGroup = syscall('exit_group', { x64: 231, arm64: 94 }, ['int']);
/** wait4(2): status is 4 bytes. */
export const wait4 = syscall('wait4', { x64: 61, arm64: 260 }, [
  'int',
  'buffer',
  { flags: named('W', { NOHANG: W.NOHANG }) },
  'buffer',
]);
/** waitid(2): info is a siginfo_t of 128 bytes. */
export const waitid = syscall('waitid', { x64: 247, arm64: 95 }, [
  { one: named('P', P) },
  'fd',
  'buffer',
  { flags: named('W', W) },
  'buffer',
]);
/** kill(2) */
export const kill = syscall('kill', { x64: 62, arm64: 129 }, ['int', signal]);
/** getpid(2) */
export const getpid = syscall('getpid', { x64: 39, arm64: 172 }, []);
/** getppid(2) */
export const getppid = syscall('getppid', { x64: 110, arm64: 173 }, []);
/** setsid(2) */
export const setsid = syscall('setsid', { x64: 112, arm64: 157 }, []);
/** pidfd_open(2) */
export const pidfdOpen = syscall('pidfd_open', { x64: 434, arm64: 434 }, ['int', 'int']);
/** pidfd_send_signal(2) */
export const pidfdSendSignal = syscall('pidfd_send_signal', { x64: 424, arm64: 424 }, [
  'fd',
  signal,
  'buffer',
  'int',
]);
/** pidfd_getfd(2): a copy of another process's descriptor. */
export const pidfdGetfd = syscall('pidfd_getfd', { x64: 438, arm64: 438 }, ['fd', 'int', 'int']);
/** prctl(2) */
export const prctl = syscall('prctl', { x64: 157, arm64: 167 }, [
  { one: named('PR', PR) },
  'int',
  'int',
  'int',
  'int',
]);
/** prctl(PR_SET_NAME): at most 15 bytes. */
export const prctlName = syscall('prctl', { x64: 157, arm64: 167 }, [{ one: named('PR', PR) }, 'string']);
/** seccomp(2) with a struct sock_fprog. */
export const seccomp = syscall('seccomp', { x64: 317, arm64: 277 }, [
  { one: named('SECCOMP', SECCOMP) },
  { flags: named('SECCOMP_FILTER_FLAG', SECCOMP_FILTER_FLAG) },
  filterProgram,
]);
/** keyctl(2) with a name, for KEYCTL_JOIN_SESSION_KEYRING: without one the keyring is new and has none. */
export const keyctlName = syscall('keyctl', { x64: 250, arm64: 219 }, [
  { one: named('KEYCTL', KEYCTL) },
  'string',
]);
/** nanosleep(2): struct timespec, two i64. */
export const nanosleep = syscall('nanosleep', { x64: 35, arm64: 101 }, ['buffer', 'buffer']);
/** clock_gettime(2): the buffer takes a struct timespec, two i64. */
export const clockGettime = syscall('clock_gettime', { x64: 228, arm64: 113 }, ['int', 'buffer']);
/** bpf(2): cmd and a union bpf_attr. */
export const bpf = syscall('bpf', { x64: 321, arm64: 280 }, ['int', 'buffer', 'length']);

// The identity of a process

/** setuid(2) */
export const setuid = syscall('setuid', { x64: 105, arm64: 146 }, ['int']);
/** setgid(2) */
export const setgid = syscall('setgid', { x64: 106, arm64: 144 }, ['int']);
/** setresuid(2) */
export const setresuid = syscall('setresuid', { x64: 117, arm64: 147 }, ['int', 'int', 'int']);
/** setresgid(2) */
export const setresgid = syscall('setresgid', { x64: 119, arm64: 149 }, ['int', 'int', 'int']);
/** setfsuid(2): returns the previous user. */
export const setfsuid = syscall('setfsuid', { x64: 122, arm64: 151 }, ['int']);
/** setfsgid(2) */
export const setfsgid = syscall('setfsgid', { x64: 123, arm64: 152 }, ['int']);
/** setgroups(2): count, and that many u32. */
export const setgroups = syscall('setgroups', { x64: 116, arm64: 159 }, ['int', groupList]);
/** capset(2): struct __user_cap_header_struct of 8 bytes, two struct __user_cap_data_struct of 12 bytes each. */
export const capset = syscall('capset', { x64: 126, arm64: 91 }, ['buffer', capabilityData]);
/** prlimit64(2): new and old are two u64 each: soft and hard. */
export const prlimit = syscall('prlimit64', { x64: 302, arm64: 261 }, [
  'int',
  { one: named('RLIMIT', RLIMIT) },
  resourceLimit,
  resourceLimit,
]);
/** umask(2) */
export const umask = syscall('umask', { x64: 95, arm64: 166 }, ['mode']);

/** ioprio_set(2): IOPRIO_WHO_PROCESS 1, a process, and the class in the bits above 13 of the priority. */
export const ioprioSet = syscall('ioprio_set', { x64: 251, arm64: 30 }, ['int', 'int', 'int']);
/** sched_setattr(2): struct sched_attr of 48 bytes. */
export const schedSetattr = syscall('sched_setattr', { x64: 314, arm64: 274 }, ['int', 'buffer', 'int']);
/** personality(2): returns the previous one. */
export const personality = syscall('personality', { x64: 135, arm64: 92 }, ['int']);

// Signals

/** rt_sigprocmask(2): how, set and old set of 8 bytes each, and their size. */
export const sigprocmask = syscall('rt_sigprocmask', { x64: 14, arm64: 135 }, [
  'int',
  'buffer',
  'buffer',
  'int',
]);
/** rt_sigaction(2): struct kernel_sigaction (32 bytes on x86-64), and the size of a mask. */
export const sigaction = syscall('rt_sigaction', { x64: 13, arm64: 134 }, [
  signal,
  'buffer',
  'buffer',
  'int',
]);
/** rt_sigtimedwait(2): waits for one signal of a set; the last argument is the size of a mask. */
export const sigtimedwait = syscall('rt_sigtimedwait', { x64: 128, arm64: 137 }, [
  'buffer',
  'buffer',
  'buffer',
  'int',
]);

// Files

/** openat(2) */
export const openat = syscall('openat', { x64: 257, arm64: 56 }, ['fd', 'string', openFlags, 'mode']);
/** openat2(2): struct open_how of three u64: flags, mode, resolve. */
export const openat2 = syscall('openat2', { x64: 437, arm64: 437 }, ['fd', 'string', openHow, 'length']);
/** syncfs(2): the file system of `fd`. */
export const syncfs = syscall('syncfs', { x64: 306, arm64: 267 }, ['fd']);
/** close(2) */
export const close = syscall('close', { x64: 3, arm64: 57 }, ['fd']);
/** close_range(2) */
export const closeRange = syscall('close_range', { x64: 436, arm64: 436 }, [
  'int',
  'int',
  { flags: named('CLOSE_RANGE', CLOSE_RANGE) },
]);
/** read(2) */
export const read = syscall('read', { x64: 0, arm64: 63 }, ['fd', 'buffer', 'length']);
/** write(2) of bytes */
export const write = syscall('write', { x64: 1, arm64: 64 }, ['fd', 'buffer', 'length']);
/** write(2) of text, for the files of /proc and cgroups */
export const writeText = syscall('write', { x64: 1, arm64: 64 }, ['fd', 'string', 'length']);
/** ftruncate(2) */
export const ftruncate = syscall('ftruncate', { x64: 77, arm64: 46 }, ['fd', 'int']);
/**
 * splice(2): one end is a pipe; an offset is null or a buffer of one i64, which is advanced. Flags: SPLICE.
 */
export const splice = syscall('splice', { x64: 275, arm64: 76 }, [
  'fd',
  'buffer',
  'fd',
  'buffer',
  'int',
  { flags: named('SPLICE_F', SPLICE) },
]);
/** dup3(2): EINVAL when both are the same. */
export const dup3 = syscall('dup3', { x64: 292, arm64: 24 }, ['fd', 'fd', openFlags]);
/** pipe2(2): two i32. */
export const pipe2 = syscall('pipe2', { x64: 293, arm64: 59 }, ['buffer', openFlags]);
/** fcntl(2) */
export const fcntl = syscall('fcntl', { x64: 72, arm64: 25 }, ['fd', { one: named('F', F) }, 'int']);
/** ioctl(2) with a number */
export const ioctl = syscall('ioctl', { x64: 16, arm64: 29 }, ['fd', { one: IOCTL }, 'int']);
/** ioctl(2) with memory */
export const ioctlBuffer = syscall('ioctl', { x64: 16, arm64: 29 }, ['fd', { one: IOCTL }, 'buffer']);
/** faccessat(2): mode is of R_OK 4, W_OK 2 and X_OK 1; it asks for the real user. */
export const faccessat = syscall('faccessat', { x64: 269, arm64: 48 }, ['fd', 'string', 'int']);
/** mkdirat(2) */
export const mkdirat = syscall('mkdirat', { x64: 258, arm64: 34 }, ['fd', 'string', 'mode']);
/** mknodat(2): dev as makedev() gives it. */
export const mknodat = syscall('mknodat', { x64: 259, arm64: 33 }, ['fd', 'string', 'mode', 'int']);
/** symlinkat(2) */
export const symlinkat = syscall('symlinkat', { x64: 266, arm64: 36 }, ['string', 'fd', 'string']);
/** linkat(2) */
export const linkat = syscall('linkat', { x64: 265, arm64: 37 }, ['fd', 'string', 'fd', 'string', atFlags]);
/** unlinkat(2) */
export const unlinkat = syscall('unlinkat', { x64: 263, arm64: 35 }, ['fd', 'string', atFlags]);
/** fchmodat(2); it follows symlinks. */
export const fchmodat = syscall('fchmodat', { x64: 268, arm64: 53 }, ['fd', 'string', 'mode']);
/** fchownat(2) */
export const fchownat = syscall('fchownat', { x64: 260, arm64: 54 }, ['fd', 'string', 'int', 'int', atFlags]);
/** fchown(2) */
export const fchown = syscall('fchown', { x64: 93, arm64: 55 }, ['fd', 'int', 'int']);
/** chdir(2) */
export const chdir = syscall('chdir', { x64: 80, arm64: 49 }, ['string']);
/** fchdir(2) */
export const fchdir = syscall('fchdir', { x64: 81, arm64: 50 }, ['fd']);
/** fchmod(2) */
export const fchmod = syscall('fchmod', { x64: 91, arm64: 52 }, ['fd', 'mode']);
/** utimensat(2): two struct timespec, access and modification. With a null path it means fd itself. */
export const utimensat = syscall('utimensat', { x64: 280, arm64: 88 }, ['fd', 'string', 'buffer', atFlags]);
/** readlinkat(2): the result is the length; with an empty path, the link that fd (O_PATH|O_NOFOLLOW) is. */
export const readlinkat = syscall('readlinkat', { x64: 267, arm64: 78 }, [
  'fd',
  'string',
  'buffer',
  'length',
]);
/** renameat2(2) */
export const renameat2 = syscall('renameat2', { x64: 316, arm64: 276 }, [
  'fd',
  'string',
  'fd',
  'string',
  { flags: named('RENAME', RENAME) },
]);
/** statx(2): a struct statx of 256 bytes. The same on every architecture, which stat(2)'s struct is not. */
export const statx = syscall('statx', { x64: 332, arm64: 291 }, [
  'fd',
  'string',
  atFlags,
  { flags: named('STATX', STATX) },
  'buffer',
]);
/** fstatfs(2): a struct statfs of 120 bytes, whose first word is the filesystem's type. */
export const fstatfs = syscall('fstatfs', { x64: 138, arm64: 44 }, ['fd', 'buffer']);
/** getdents64(2): struct linux_dirent64, one behind the other. */
export const getdents64 = syscall('getdents64', { x64: 217, arm64: 61 }, ['fd', 'buffer', 'length']);
/** lseek(2), also for the holes of sparse files */
export const lseek = syscall('lseek', { x64: 8, arm64: 62 }, ['fd', 'int', { one: named('SEEK', SEEK) }]);
/** flock(2): a lock that belongs to the open file description, and so ends with its process. */
export const flock = syscall('flock', { x64: 73, arm64: 32 }, ['fd', { flags: named('LOCK', LOCK) }]);
/** fsetxattr(2): flags 0 creates or replaces. */
export const fsetxattr = syscall('fsetxattr', { x64: 190, arm64: 7 }, [
  'fd',
  'string',
  'buffer',
  'length',
  'int',
]);
/** fgetxattr(2) */
export const fgetxattr = syscall('fgetxattr', { x64: 193, arm64: 10 }, ['fd', 'string', 'buffer', 'length']);
/** flistxattr(2): names, each with its NUL. */
export const flistxattr = syscall('flistxattr', { x64: 196, arm64: 13 }, ['fd', 'buffer', 'length']);
/** memfd_create(2) */
export const memfdCreate = syscall('memfd_create', { x64: 319, arm64: 279 }, [
  'string',
  { flags: named('MFD', MFD) },
]);

// Memory

/** mmap(2) */
export const mmap = syscall('mmap', { x64: 9, arm64: 222 }, [
  'int',
  'int',
  { flags: named('PROT', PROT) },
  { flags: named('MAP', MAP) },
  'fd',
  'int',
]);
/** mprotect(2) */
export const mprotect = syscall('mprotect', { x64: 10, arm64: 226 }, [
  'int',
  'int',
  { flags: named('PROT', PROT) },
]);
/** madvise(2) */
export const madvise = syscall('madvise', { x64: 28, arm64: 233 }, [
  'int',
  'int',
  { one: named('MADV', MADV) },
]);
/** munmap(2) */
export const munmap = syscall('munmap', { x64: 11, arm64: 215 }, ['int', 'int']);

// Waiting and sockets

/** epoll_create1(2) */
export const epollCreate1 = syscall('epoll_create1', { x64: 291, arm64: 20 }, ['int']);
/** epoll_ctl(2): struct epoll_event, packed to 12 bytes on x86-64, 16 on arm64. */
export const epollCtl = syscall('epoll_ctl', { x64: 233, arm64: 21 }, [
  'fd',
  { one: named('EPOLL_CTL', EPOLL_CTL) },
  'fd',
  'buffer',
]);
/** epoll_pwait(2): events, their maximum number, timeout in milliseconds, mask, size of a mask. */
export const epollPwait = syscall('epoll_pwait', { x64: 281, arm64: 22 }, [
  'fd',
  'buffer',
  'int',
  'int',
  'buffer',
  'int',
]);
/** syslog(2): reads or controls the kernel's log. */
export const syslog = syscall('syslog', { x64: 103, arm64: 116 }, ['int', 'buffer', 'length']);
/** eventfd2(2) */
export const eventfd = syscall('eventfd2', { x64: 290, arm64: 19 }, ['int', 'int']);
/** socket(2) */
export const socket = syscall('socket', { x64: 41, arm64: 198 }, ['int', 'int', 'int']);
/** bind(2) */
export const bind = syscall('bind', { x64: 49, arm64: 200 }, ['fd', 'buffer', 'length']);
/** listen(2): the length of the queue of connections. */
export const listen = syscall('listen', { x64: 50, arm64: 201 }, ['fd', 'int']);
/** connect(2) */
export const connect = syscall('connect', { x64: 42, arm64: 203 }, ['fd', 'buffer', 'length']);
/** sendto(2) */
export const sendto = syscall('sendto', { x64: 44, arm64: 206 }, [
  'fd',
  'buffer',
  'length',
  'int',
  'buffer',
  'length',
]);
/** recvfrom(2) */
export const recvfrom = syscall('recvfrom', { x64: 45, arm64: 207 }, [
  'fd',
  'buffer',
  'length',
  'int',
  'buffer',
  'buffer',
]);
/** sendmsg(2) with a struct msghdr. */
export const sendmsg = syscall('sendmsg', { x64: 46, arm64: 211 }, ['fd', 'buffer', 'int']);
/** recvmsg(2) with a struct msghdr. */
export const recvmsg = syscall('recvmsg', { x64: 47, arm64: 212 }, ['fd', 'buffer', 'int']);
/** setsockopt(2): level, option, value. */
export const setsockopt = syscall('setsockopt', { x64: 54, arm64: 208 }, [
  'fd',
  'int',
  'int',
  'buffer',
  'length',
]);
/** ppoll(2): without descriptors it waits for a signal. */
export const ppoll = syscall('ppoll', { x64: 271, arm64: 73 }, ['buffer', 'int', 'buffer', 'buffer', 'int']);
/** setpgid(2) */
export const setpgid = syscall('setpgid', { x64: 109, arm64: 154 }, ['int', 'int']);
