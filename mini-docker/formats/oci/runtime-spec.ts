// The OCI runtime specification's config.json, the part that this engine uses, under the field names of the
// specification (https://github.com/opencontainers/runtime-spec, config.md and config-linux.md, version 1.2).

export interface Spec {
  ociVersion: string;
  hostname?: string;
  domainname?: string;
  process: Process;
  root: { path: string; readonly?: boolean };
  mounts: Mount[];
  linux: Linux;
  hooks?: Hooks;
  annotations?: Record<string, string>;
}

/** When a hook runs, in the order of a container's life. */
export const HOOK_KINDS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

export type HookKind = (typeof HOOK_KINDS)[number];

/** Programs that run at points of a container's life, with its state on their standard input. */
export type Hooks = Partial<Record<HookKind, Hook[]>>;

export interface Hook {
  path: string;
  /** argv with argv[0]; without it argv[0] is the path. */
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: number;
}

export interface Process {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  cwd: string;
  env: string[];
  args: string[];
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] };
  capabilities?: Capabilities;
  rlimits?: { type: string; soft: number; hard: number }[];
  noNewPrivileges?: boolean;
  oomScoreAdj?: number;
  apparmorProfile?: string;
  selinuxLabel?: string;
  ioPriority?: { class: string; priority: number };
  scheduler?: Scheduler;
}

/** sched_setattr(2). Times in nanoseconds. */
export interface Scheduler {
  policy: string;
  nice?: number;
  priority?: number;
  flags?: string[];
  runtime?: number;
  deadline?: number;
  period?: number;
}

/** Capability names with their prefix: 'CAP_CHOWN'. */
export interface Capabilities {
  bounding: string[];
  effective: string[];
  permitted: string[];
  inheritable: string[];
  ambient: string[];
}

/** `options` are those of mount(8) (ro, nosuid, rbind, rslave, …), followed by the file system's own. */
export interface Mount {
  destination: string;
  type: string;
  source: string;
  options?: string[];
  /** Maps that shift the owners of a bind mount's files. */
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
  /** Not of the specification: of a bind, the file below the source that is mounted; no link leads out of it. */
  subpath?: Subpath;
  /** Not of the specification: of the type 'overlay', the layers to mount read-only, topmost first. */
  layers?: string[];
  /** Not of the specification: of a tmpfs of 64 MB and mode 755, the name by which it may be a part of one for the whole container. */
  part?: string;
}

/** How a mount reaches its part of a volume or an image. */
export type MountPart = Pick<Mount, 'subpath' | 'layers'>;

export interface Subpath {
  path: string;
  /** As found when the container was started; if it is another by then, the start fails. */
  kind: 'file' | 'directory';
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface Linux {
  /** A namespace without a path is created, one with a path is joined; for a type not listed, the host's is used. */
  namespaces: { type: NamespaceType; path?: string }[];
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
  devices?: Device[];
  /** Relative to the root of every cgroup hierarchy: '/mini-docker/ID'. */
  cgroupsPath: string;
  resources?: Resources;
  rootfsPropagation?: 'private' | 'slave' | 'shared' | 'unbindable';
  sysctl?: Record<string, string>;
  personality?: { domain: string; flags?: string[] };
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
  seccomp?: Seccomp;
  /** Offsets of the boot-time and monotonic clocks in a new time namespace. */
  timeOffsets?: Partial<Record<'monotonic' | 'boottime', { secs: number; nanosecs: number }>>;
}

/** The system calls that the program may make (config-linux.md, "Seccomp"). */
export interface Seccomp {
  defaultAction: SeccompAction;
  /** The errno if the default action is SCMP_ACT_ERRNO; EPERM by default. */
  defaultErrnoRet?: number;
  /** SCMP_ARCH_*: the machine's own, and the older ones that its kernel also runs. */
  architectures?: string[];
  flags?: string[];
  syscalls: SeccompRule[];
  /** A socket at which a supervisor takes the calls of SCMP_ACT_NOTIFY, and a text for it. */
  listenerPath?: string;
  listenerMetadata?: string;
}

export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_NOTIFY'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG';

export interface SeccompRule {
  names: string[];
  action: SeccompAction;
  errnoRet?: number;
  args?: SeccompCondition[];
}

/** A comparison of one argument. For SCMP_CMP_MASKED_EQ `value` is the mask, and `valueTwo` the expected masked value. */
export interface SeccompCondition {
  /** 0 to 5. */
  index: number;
  /** 64 bits: a decimal string where a number would not be exact. */
  value: number | string;
  valueTwo?: number | string;
  op: SeccompOperator;
}

export type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ';

export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface Device {
  type: 'c' | 'b' | 'p' | 'u';
  path: string;
  major: number;
  minor: number;
  /** Permission bits, for example 0o666. */
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** Limits of the container's control group: memory in bytes, CPU times in microseconds; -1 means no limit. */
export interface Resources {
  devices?: DeviceRule[];
  memory?: {
    limit?: number;
    reservation?: number;
    /** Memory and swap together, as in cgroup v1 and in `docker run --memory-swap`. */
    swap?: number;
    swappiness?: number;
    disableOOMKiller?: boolean;
    /** Of the kernel's own memory; Linux has no such limit any more. */
    kernel?: number;
    kernelTCP?: number;
  };
  cpu?: {
    shares?: number;
    quota?: number;
    period?: number;
    burst?: number;
    realtimeRuntime?: number;
    realtimePeriod?: number;
    /** 1: only when nothing else wants to run. */
    idle?: number;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: number };
  /** `pageSize` such as '2MB'; `limit` in bytes. */
  hugepageLimits?: { pageSize: string; limit: number }[];
  network?: { classID?: number; priorities?: { name: string; priority: number }[] };
  /** By the name of the device. */
  rdma?: Record<string, { hcaHandles?: number; hcaObjects?: number }>;
  blockIO?: {
    weight?: number;
    weightDevice?: { major: number; minor: number; weight: number }[];
    throttleReadBpsDevice?: Throttle[];
    throttleWriteBpsDevice?: Throttle[];
    throttleReadIOPSDevice?: Throttle[];
    throttleWriteIOPSDevice?: Throttle[];
  };
  /** Names and contents of files in a cgroup v2 directory, which are written unchanged. */
  unified?: Record<string, string>;
}

export interface Throttle {
  major: number;
  minor: number;
  rate: number;
}

/** A missing type, major or minor matches any; `access` consists of letters of 'rwm'. */
export interface DeviceRule {
  allow: boolean;
  type?: 'a' | 'c' | 'b';
  major?: number;
  minor?: number;
  access?: string;
}
