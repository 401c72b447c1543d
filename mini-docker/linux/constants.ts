// Kernel constants under their kernel names, in objects named after their prefix. Values are those of x86-64 and
// arm64 alike, except where the code tests `arm64`.
const arm64 = process.arch === 'arm64';

/** <linux/sched.h> */
export const CLONE = {
  NEWTIME: 0x0000_0080,
  VM: 0x0000_0100,
  FS: 0x0000_0200,
  FILES: 0x0000_0400,
  SIGHAND: 0x0000_0800,
  PIDFD: 0x0000_1000,
  VFORK: 0x0000_4000,
  PARENT: 0x0000_8000,
  NEWNS: 0x0002_0000,
  PARENT_SETTID: 0x0010_0000,
  NEWCGROUP: 0x0200_0000,
  NEWUTS: 0x0400_0000,
  NEWIPC: 0x0800_0000,
  NEWUSER: 0x1000_0000,
  NEWPID: 0x2000_0000,
  NEWNET: 0x4000_0000,
  /** clone3(2) only. */
  INTO_CGROUP: 0x2_0000_0000,
} as const;

/** <linux/mount.h>: flags of mount(2) */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  MANDLOCK: 64,
  DIRSYNC: 128,
  NOSYMFOLLOW: 256,
  NOATIME: 1024,
  NODIRATIME: 2048,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  SILENT: 32768,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
  RELATIME: 1 << 21,
  STRICTATIME: 1 << 24,
  LAZYTIME: 1 << 25,
} as const;

/** <linux/mount.h>: flags of umount2(2) */
export const MNT = { FORCE: 1, DETACH: 2, EXPIRE: 4 } as const;

/** <linux/mount.h>: flags of move_mount(2) */
export const MOVE_MOUNT = {
  F_SYMLINKS: 0x01,
  F_AUTOMOUNTS: 0x02,
  F_EMPTY_PATH: 0x04,
  T_SYMLINKS: 0x10,
  T_AUTOMOUNTS: 0x20,
  T_EMPTY_PATH: 0x40,
} as const;

/** <linux/mount.h>: flags of open_tree(2), which are also AT_RECURSIVE and O_CLOEXEC */
export const OPEN_TREE = { CLONE: 1, CLOEXEC: 0o2000000 } as const;

/** <linux/mount.h>: fsopen(2), fsmount(2) and the commands of fsconfig(2) */
export const FSOPEN = { CLOEXEC: 1 } as const;
export const FSMOUNT = { CLOEXEC: 1 } as const;
export const FSCONFIG = {
  SET_FLAG: 0,
  SET_STRING: 1,
  SET_BINARY: 2,
  SET_PATH: 3,
  SET_PATH_EMPTY: 4,
  SET_FD: 5,
  CMD_CREATE: 6,
  CMD_RECONFIGURE: 7,
} as const;

/** <linux/mount.h>: attributes of fsmount(2) and mount_setattr(2) */
export const MOUNT_ATTR = {
  RDONLY: 0x01,
  NOSUID: 0x02,
  NODEV: 0x04,
  NOEXEC: 0x08,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  /** The bits of NOATIME and STRICTATIME, of which at most one is set: all have to be cleared to change them. */
  ATIME_FIELD: 0x70,
  IDMAP: 0x0010_0000,
  NOSYMFOLLOW: 0x0020_0000,
} as const;

/** <fcntl.h> */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: arm64 ? 0o40000 : 0o200000,
  NOFOLLOW: arm64 ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** <fcntl.h>: flags of the *at calls */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  EMPTY_PATH: 0x1000,
  RECURSIVE: 0x8000,
} as const;

/** <linux/fs.h>: flags of renameat2(2) */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** <unistd.h>: the positions that lseek(2) can count from */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** <sys/file.h>: operations of flock(2) */
export const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const;

/** <linux/stat.h>: fields that statx(2) can be asked for */
export const STATX = { BASIC_STATS: 0x07ff, BTIME: 0x0800, MNT_ID: 0x1000 } as const;

/** <linux/openat2.h> */
export const RESOLVE = {
  NO_XDEV: 0x01,
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  IN_ROOT: 0x10,
  CACHED: 0x20,
} as const;

/** <fcntl.h>: commands of fcntl(2), and seals of a memfd */
export const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  SETPIPE_SZ: 1031,
  GETPIPE_SZ: 1032,
  ADD_SEALS: 1033,
  DUPFD_CLOEXEC: 1030,
} as const;
export const F_SEAL = { SEAL: 1, SHRINK: 2, GROW: 4, WRITE: 8 } as const;

/** <linux/memfd.h> */
export const MFD = { CLOEXEC: 1, ALLOW_SEALING: 2, NOEXEC_SEAL: 8, EXEC: 0x10 } as const;

/** <sys/mman.h> */
export const PROT = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const;
/** <asm-generic/mman-common.h> */
export const MADV = { DONTNEED: 4 } as const;
export const MAP = { SHARED: 1, PRIVATE: 2, FIXED: 0x10, ANONYMOUS: 0x20 } as const;

/** <signal.h> */
export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;
export const SIG_BLOCK = 0;
export const SIG_SETMASK = 2;

/** <sys/wait.h> */
export const W = { NOHANG: 1, EXITED: 4, NOWAIT: 0x0100_0000 } as const;
export const P = { ALL: 0, PID: 1, PGID: 2, PIDFD: 3 } as const;

/** <linux/prctl.h> */
export const PR = {
  SET_PDEATHSIG: 1,
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  SET_SECUREBITS: 28,
  SET_NAME: 15,
  SET_SECCOMP: 22,
  CAPBSET_DROP: 24,
  SET_CHILD_SUBREAPER: 36,
  SET_NO_NEW_PRIVS: 38,
  CAP_AMBIENT: 47,
} as const;
export const PR_CAP_AMBIENT = { RAISE: 2, CLEAR_ALL: 4 } as const;

/** <linux/seccomp.h> */
export const SECCOMP = { SET_MODE_STRICT: 0, SET_MODE_FILTER: 1 } as const;
export const SECCOMP_FILTER_FLAG = {
  TSYNC: 1,
  LOG: 2,
  SPEC_ALLOW: 4,
  NEW_LISTENER: 8,
  WAIT_KILLABLE_RECV: 32,
} as const;

/** <linux/keyctl.h> */
export const KEYCTL = { JOIN_SESSION_KEYRING: 1 } as const;

/** <sys/resource.h> */
export const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;

/** <sys/stat.h>: file types in a mode */
export const S_IF = {
  MT: 0o170000,
  SOCK: 0o140000,
  LNK: 0o120000,
  REG: 0o100000,
  BLK: 0o60000,
  DIR: 0o40000,
  CHR: 0o20000,
  IFO: 0o10000,
} as const;

/** <linux/close_range.h> */
export const CLOSE_RANGE = { UNSHARE: 2, CLOEXEC: 4 } as const;

/** <asm-generic/ioctls.h> */
export const IOCTL = {
  TCGETS: 0x5401,
  TCSETS: 0x5402,
  TIOCSCTTY: 0x540e,
  TIOCSPGRP: 0x5410,
  TIOCOUTQ: 0x5411,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  TIOCGPTN: 0x8004_5430,
  TIOCSPTLCK: 0x4004_5431,
  TIOCGPTPEER: 0x5441,
  /** <linux/sockios.h> */
  SIOCSIFFLAGS: 0x8914,
  SIOCETHTOOL: 0x8946,
} as const;

/** <sys/socket.h> */
export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3, CLOEXEC: 0o2000000, NONBLOCK: 0o4000 } as const;

/** <linux/splice.h> */
export const SPLICE = { MOVE: 1, NONBLOCK: 2, MORE: 4 } as const;

/** <sys/epoll.h> */
export const EPOLL = { CLOEXEC: 0o2000000 } as const;
export const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
export const EPOLLIN = 1;
export const EPOLLET = 0x8000_0000;

/** <linux/capability.h>: numbers of capabilities */
export const CAP = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10,
  NET_BROADCAST: 11,
  NET_ADMIN: 12,
  NET_RAW: 13,
  IPC_LOCK: 14,
  IPC_OWNER: 15,
  SYS_MODULE: 16,
  SYS_RAWIO: 17,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_PACCT: 20,
  SYS_ADMIN: 21,
  SYS_BOOT: 22,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TIME: 25,
  SYS_TTY_CONFIG: 26,
  MKNOD: 27,
  LEASE: 28,
  AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30,
  SETFCAP: 31,
  MAC_OVERRIDE: 32,
  MAC_ADMIN: 33,
  SYSLOG: 34,
  WAKE_ALARM: 35,
  BLOCK_SUSPEND: 36,
  AUDIT_READ: 37,
  PERFMON: 38,
  BPF: 39,
  CHECKPOINT_RESTORE: 40,
} as const;

/** Puts the prefix before each name, for printing: { NEWPID: … } → { CLONE_NEWPID: … } */
export function named(prefix: string, names: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [`${prefix}_${name}`, value]));
}
