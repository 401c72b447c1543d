// GET /mini-docker/view, an addition to Docker's API: a machine as the kernel has it, one line of JSON a look.
// Bytes, nanoseconds and counts are what the kernel says; rates are the reader's business.

export interface View {
  /** Milliseconds since 1970. */
  at: number;
  host: HostView;
  boxes: BoxRow[];
  /** Bridges of the host, with what is plugged into them. */
  bridges?: BridgeView[];
  /** Id of the box that was asked for, or of the first in the list. */
  wanted?: string;
  /** It in depth; missing while it does not run. */
  chosen?: BoxView;
}

export interface HostView {
  name: string;
  kernel: string;
  cpus: number;
  /** Clock ticks since boot, over all processors. */
  cpu: { busy: number; total: number };
  memory: { used: number; limit: number };
  /** Average number of processes that ran or waited to run, over 1, 5 and 15 minutes. */
  load: number[];
  tasks: number;
  pressure: Pressure;
  rights: RightsView;
}

/** Percent of the last ten seconds in which a process waited for it (PSI, avg10). */
export type Pressure = Partial<Record<'cpu' | 'memory' | 'io', number>>;

/** A container, or a learner's sandbox, in the list of all. */
export interface BoxRow {
  id: string;
  name: string;
  image: string;
  /** 'running', 'paused', 'exited', … */
  status: string;
  /** 'Up 2 minutes' */
  note: string;
  /** Ports of the host: '0.0.0.0:8080 -> 80/tcp' */
  published?: string[];
  usage?: Usage;
}

export interface BridgeView {
  name: string;
  up: boolean;
  addresses: string[];
  ports: {
    /** The host's end of a cable, or another link. */
    name: string;
    up: boolean;
    /** The cable's other end. */
    end?: { box: string; link: string };
  }[];
}

export interface Usage {
  /** Milliseconds since 1970: many boxes are not all read at every look. */
  at: number;
  /** Nanoseconds of processor time since its start. */
  cpu: number;
  memory: number;
  tasks: number;
}

/** A box in depth. */
export interface BoxView {
  id: string;
  /** Host pid of its process 1. */
  pid: number;
  processes: ProcessView[];
  /** Number of processes that are left out. */
  more: number;
  namespaces: NamespaceView[];
  /** One for each mount namespace of its processes, that of process 1 first. */
  mounts: MountTable[];
  groups: GroupView[];
  /** One for each network namespace of its processes, that of process 1 first. */
  networks: NetworkView[];
  /** Ports of the host: '0.0.0.0:8080 -> 80/tcp' */
  published: string[];
  rights: RightsView;
  /** The last lines of its log; missing where it has none. */
  log?: string[];
}

export interface ProcessView {
  /** On the host. */
  pid: number;
  parent: number;
  /** The pid that it sees itself: that of its innermost pid namespace. */
  inside: number;
  uid: number;
  state: string;
  /** Nanoseconds of processor time. */
  cpu: number;
  memory: number;
  command: string;
}

export interface NamespaceView {
  /** 'pid', 'mnt', … */
  type: string;
  inode: number;
  /** The host's namespace of this type. */
  hosts: number;
  /** The hostname of a UTS namespace. */
  hostname?: string;
  /** Names of other boxes that are in it. */
  others: string[];
  /** Host pids of the box's processes in it, its process 1 first. */
  pids: number[];
}

export interface MountTable {
  /** Inode of the namespace, and the host pid of a process in it. */
  inode: number;
  pid: number;
  mounts: MountView[];
  /** There are more, which were not read. */
  more: boolean;
}

export interface MountView {
  id: number;
  parent: number;
  point: string;
  type: string;
  source: string;
  /** Directory of the file system that is mounted, when it is not its root. */
  root?: string;
  readonly: boolean;
  /** 'shared:3 master:1'; '' for private. */
  propagation: string;
  /** Directories of an overlay, from the writable one down. */
  layers?: string[];
}

export interface GroupView {
  path: string;
  version: 1 | 2;
  /** Host pids of the box's processes in it. */
  pids: number[];
  /** The limit in processors. */
  cpu: { used: number; limit?: number; throttled: number };
  memory: { used: number; limit?: number };
  tasks: { used: number; limit?: number };
  io: { read: number; written: number };
  /** Missing in version 1, which does not count it by group. */
  pressure?: Pressure;
}

export interface NetworkView {
  /** Inode of the namespace, and the host pid of a process in it. */
  inode: number;
  pid: number;
  links: LinkView[];
  listening: { protocol: string; address: string; port: number }[];
}

export interface LinkView {
  name: string;
  kind: string;
  up: boolean;
  mac: string;
  mtu: number;
  addresses: string[];
  received: Traffic;
  sent: Traffic;
  /** The cable's other end, on the host or in another of the box's namespaces. */
  peer?: { name: string; bridge?: string; bridgeAddresses: string[] };
}

export interface Traffic {
  bytes: number;
  packets: number;
  dropped: number;
}

export interface RightsView {
  uid: number;
  gid: number;
  groups: number[];
  /** The lines of uid_map: 'inside outside count'. */
  uidMap: string[];
  /** Names of effective capabilities, without prefix. */
  capabilities: string[];
  /** Number of capabilities in the bounding set, and of all that the kernel has. */
  bounding: number;
  all: number;
  noNewPrivileges: boolean;
  /** 'disabled', 'strict' or 'filter' */
  seccomp: string;
  /** Of AppArmor or SELinux. */
  label?: string;
}
