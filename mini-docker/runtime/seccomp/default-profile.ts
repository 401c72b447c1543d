// The default profile. It allows the same calls as Docker's (28.5, with the socket rules of 29), and so all
// that programs in containers are known to need. It refuses keys, io_uring, userfaultfd, kexec, loading of
// modules, and all calls that need a capability that a container lacks: bugs in the kernel's code behind
// these calls are then out of reach.

import type { ProfileRule, SeccompProfile } from '../../formats/seccomp.ts';
import { ERRNO } from '../../linux/errno.ts';

const ALWAYS = {
  files: `access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat
    fcntl fcntl64 fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64
    futimesat getcwd getdents getdents64 ioctl lchown lchown32 link linkat _llseek lseek lstat lstat64 mkdir
    mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2
    pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir
    sendfile sendfile64 splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
    syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice
    write writev`,
  attributes: `fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr
    listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`,
  mountsToLookAt: 'listmount statmount',
  watchingFiles: 'fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch',
  waiting: `epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
    epoll_wait_old eventfd eventfd2 _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select`,
  asynchronous: `io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set
    io_setup io_submit`,
  memory: `brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2
    mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free
    pkey_mprotect remap_file_pages`,
  processes: `execve execveat exit exit_group fork getpgid getpgrp getpid getppid getpriority getrlimit
    getrusage getsid gettid pidfd_open pidfd_send_signal prctl prlimit64 process_mrelease restart_syscall
    setpgid setpriority setrlimit setsid times ugetrlimit uname vfork wait4 waitid waitpid sysinfo`,
  threads: `futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getcpu get_robust_list
    get_thread_area rseq set_robust_list set_thread_area set_tid_address riscv_hwprobe uretprobe`,
  scheduling: `sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
    sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield`,
  users: `capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid
    getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid
    setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setuid setuid32`,
  givingUpRights: 'landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp',
  signals: `kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask
    sigreturn tgkill tkill`,
  time: `adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
    recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`,
  messages: `ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop
    semtimedop_time64 shmat shmctl shmdt shmget`,
  random: 'getrandom',
};

/** Calls that are allowed if the container has the capability that they need. */
const WITH_CAPABILITY: Record<string, string> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie
    lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree
    perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYSLOG: 'syslog',
  CAP_BPF: 'bpf',
  CAP_PERFMON: 'perf_event_open',
};

/** CLONE_NEW*, except CLONE_NEWTIME, which only unshare(2) and clone3(2) accept. */
const NEW_NAMESPACES = 0x7e02_0000;

/** Socket families that are refused. <linux/socket.h> */
const REFUSED_FAMILIES: Record<number, string> = {
  12: 'DECnet, gone since Linux 6.1',
  19: 'Econet, gone since Linux 3.5',
  20: 'ATM SVC, gone since Linux 7.2',
  23: 'IrDA, gone since Linux 4.17',
  25: 'Wanpipe, which never was there',
  34: 'ISDN, gone since Linux 7.1',
  37: 'CAIF, gone since Linux 7.1',
  38: "ALG, the kernel's ciphers: much code, and CVE-2026-31431",
  40: 'vsock, which talks to the hypervisor past every network',
};
/** AF_MCTP */
const LAST_FAMILY = 45;

/** Arguments of personality(2): PER_LINUX and PER_LINUX32, both also with UNAME26, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

function rule(names: string, more: Partial<ProfileRule> = {}): ProfileRule {
  return { names: names.split(/\s+/), action: 'SCMP_ACT_ALLOW', ...more };
}

/**
 * The socket families that Docker's profile (29) allows. The kernel takes the lower 32 bits of the family,
 * while a filter compares all 64, so "all but these" would let AF_VSOCK + 2^32 pass: beyond the first gap
 * each family is allowed individually.
 */
function socketRules(): ProfileRule[] {
  const families = Array.from({ length: LAST_FAMILY + 1 }, (_, family) => family);
  const gap = families.findIndex(family => family in REFUSED_FAMILIES);
  const others = families.slice(gap).filter(family => !(family in REFUSED_FAMILIES));
  return [
    rule('socket', { args: [{ index: 0, op: 'SCMP_CMP_LT', value: gap }] }),
    ...others.map(value => rule('socket', { args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] })),
  ];
}

export const DEFAULT_PROFILE: SeccompProfile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
  ],
  syscalls: [
    ...Object.values(ALWAYS).map(names => rule(names)),
    // Before Linux 4.8 a process could bypass its filter by tracing itself.
    rule('process_vm_readv process_vm_writev ptrace', { includes: { minKernel: '4.8' } }),
    ...socketRules(),
    ...PERSONALITIES.map(value => rule('personality', { args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] })),
    rule('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls', {
      includes: { arches: ['arm', 'arm64'] },
    }),
    rule('arch_prctl', { includes: { arches: ['amd64', 'x32'] } }),
    rule('modify_ldt', { includes: { arches: ['amd64', 'x32', 'x86'] } }),
    ...Object.entries(WITH_CAPABILITY).map(([name, names]) => rule(names, { includes: { caps: [name] } })),
    rule('clone', {
      args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: NEW_NAMESPACES, valueTwo: 0 }],
      excludes: { caps: ['CAP_SYS_ADMIN'] },
    }),
    // Its flags are behind a pointer. libc falls back to clone if clone3 is missing.
    rule('clone3', {
      action: 'SCMP_ACT_ERRNO',
      errnoRet: ERRNO.ENOSYS,
      excludes: { caps: ['CAP_SYS_ADMIN'] },
    }),
  ],
};
