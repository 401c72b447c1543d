// What a process may and may not do, as the kernel tells it: GET /containers/{id}/security, an addition of ours to the
// Engine API.

export interface SecurityReport {
  container: ProcessSecurity;
  /** A process of the host, to compare with: the daemon. */
  host: ProcessSecurity;
}

export interface ProcessSecurity {
  /** Pid on the host. */
  pid: number;
  program: string;
  uid: number;
  gid: number;
  groups: number[];
  /** The lines of uid_map: so many ids from `inside` on are those from `outside` on. */
  uidMap: { inside: number; outside: number; count: number }[];
  /** Which are the host's too, and which are not: 'pid', 'mnt', … */
  namespaces: { own: string[]; shared: string[] };
  /** Names without prefix. */
  capabilities: Record<'effective' | 'permitted' | 'bounding' | 'inheritable' | 'ambient', string[]>;
  /** Number of capabilities that the kernel knows. */
  capabilitiesInAll: number;
  noNewPrivileges: boolean;
  seccomp: SystemCalls | undefined;
  /** Label of AppArmor or SELinux; undefined where the kernel has neither. */
  label: string | undefined;
  /** Paths of /proc and /sys. */
  masked: string[];
  readonly: string[];
  rootIsReadonly: boolean;
  cgroup: { path: string; memory?: number; pids?: number; cpus?: number };
  /** Soft limits; undefined is without. */
  limits: Record<string, number | undefined>;
}

/** What the filter in force says to the system calls of this machine, by name. */
export interface SystemCalls {
  allowed: number;
  /** Answered with an errno, usually EPERM. */
  refused: string[];
  /** Answered with ENOSYS: as if the kernel did not have them. */
  hidden: string[];
  /** It depends on their arguments. */
  conditional: string[];
  /** They end the program, or send it a signal. */
  fatal: string[];
}
