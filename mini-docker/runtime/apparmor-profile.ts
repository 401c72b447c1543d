// The AppArmor profile of containers, execs and builds (apparmor.d(5)). It repeats the restrictions of masks,
// read-only mounts and missing capabilities by an independent mechanism, so they also hold for a program that
// was given a capability (--cap-add SYS_ADMIN) or that found a way around one of the others.

export const DEFAULT_PROFILE = 'mini-docker-default';

/**
 * A container's files may have no path from the host's root (attach_disconnected), or no name any more.
 * Signals from unconfined processes are the daemon's, and must arrive.
 */
export const PROFILE_TEXT = `
profile ${DEFAULT_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (send, receive) peer=${DEFAULT_PROFILE},
  ptrace (trace, read, tracedby, readby) peer=${DEFAULT_PROFILE},

  deny mount,
  deny pivot_root,

  # Settings of the whole machine; those of one process are below /proc/PID.
  deny /proc/* w,
  deny /proc/{acpi,asound,bus,driver,dynamic_debug,fs,irq,scsi,sys,sysvipc,tty}/** w,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} rwklx,

  # Of /sys only the control groups, as far as they are mounted to be written.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/kernel/security/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
}
`;
