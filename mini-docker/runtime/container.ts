// The runtime's interface to the engine: one container at run time. runtime.ts implements it.
import type { Readable, Writable } from 'node:stream';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { Process, Resources, Spec } from '../formats/oci/runtime-spec.ts';
import type { Descriptor } from '../linux/descriptor.ts';

export interface CreateOptions {
  /** 64 hexadecimal digits. */
  id: string;
  /**
   * The container's own directory below the run directory (usually a tmpfs), which must exist. It holds the
   * runtime's state.
   */
  directory: string;
  spec: Spec;
  /**
   * The root filesystem: layers, topmost first, and the writable layer. It is mounted at `spec.root.path`, in
   * the container's mount namespace only.
   */
  rootfs: { lowerdirs: string[]; upperdir: string; workdir: string };
  /**
   * Keep a pipe open as the program's standard input (docker's OpenStdin); else it is /dev/null. With
   * spec.process.terminal the pty serves instead.
   */
  stdin: boolean;
  /**
   * Run an init as pid 1, which forwards signals and reaps zombies, with the program as its child (`--init`).
   */
  init?: boolean;
  /** Record the result and the time of each step of the start, for Container.trace(). */
  trace?: boolean;
  /** Called once the container's namespaces exist and before its program runs, to move network links in. */
  onNamespaces?(pid: number): Promise<void>;
}

export interface Exit {
  /** 0 to 255; 128 + n when signal n killed it; undefined when it is unknown (its monitor was killed). */
  code: number | undefined;
  signal?: number;
  oomKilled: boolean;
  at: Date;
}

/** The kernel's latest kill in a container for want of memory. Bytes. */
export interface OomKill {
  /** Whose memory was short: the container's own limit was reached, that of the group `group` above it, or the host's end. */
  scope: 'container' | 'group' | 'host';
  usage: number;
  limit: number;
  group?: string;
  /** RFC 3339. This, the pid on the host and the process's name are missing where the kernel's log cannot be read. */
  at?: string;
  pid?: number;
  name?: string;
}

/**
 * The daemon's ends of the program's streams. With a terminal only `stdin` and `stdout` exist, and both are
 * the pty.
 */
export interface Streams {
  stdin?: Writable;
  stdout?: Readable;
  stderr?: Readable;
}

export interface Container extends Streams {
  readonly id: string;
  /** Pid on the host. */
  readonly pid: number;
  /**
   * The descriptors behind `stdout` and `stderr`, for a caller that reads them itself, instead of the two
   * streams, which start to read on first access. The container owns them; delete() closes them.
   */
  readonly outputs: {
    stdout?: Descriptor | undefined;
    stderr?: Descriptor | undefined;
    terminal?: Descriptor | undefined;
  };
  /**
   * Lets the program run. Rejects with a SyscallError (syscall 'execve', code 'ENOENT', 'EACCES', …) when it
   * cannot be executed, or one of its mounts cannot be made; then only delete() is left to call.
   */
  start(): Promise<void>;
  /**
   * Settles when the program has exited, and never rejects. The streams may still hold output: read them to
   * the end.
   */
  readonly exited: Promise<Exit>;
  /** Sends a signal (by number) to pid 1. False when it has exited. */
  kill(signal: number): boolean;
  pause(): Promise<void>;
  resume(): Promise<void>;
  resize(size: { rows: number; columns: number }): void;
  /** Changes limits of the running container. */
  update(resources: Resources): Promise<void>;
  /** Calls back at each OOM kill in the container, until its program has exited. */
  onOomKill(listener: () => void): void;
  /** The latest of these kills; undefined when there was none. Until delete(). */
  oomKill(): OomKill | undefined;
  stats(): Promise<Stats>;
  /** Pids on the host of all processes in the container's cgroup. */
  processes(): number[];
  exec(options: ExecOptions): Promise<Execution>;
  /** The steps of its start with results and times, if it was created with `trace`. */
  trace(): ExplainedStep[] | undefined;
  /**
   * Kills remaining processes (SIGKILL to the whole cgroup, after thawing it), and releases the cgroup and
   * the monitor. Idempotent. Its exit stays in the directory for a later daemon, until the caller deletes that.
   */
  delete(): Promise<void>;
  /** Settles a little after the deletion: its layers are then mounted nowhere, and can be mounted again. */
  readonly unmounted: Promise<void>;
  /**
   * Opens the root directory that its layers make, without what is mounted in it; the caller closes it.
   * @returns undefined when the monitor, which holds it, has ended or does not have it yet
   */
  openLayers(): number | undefined;
}

export interface ExecOptions {
  /** The complete process: capabilities, cwd, user, env, terminal, …, as for a container. */
  process: Process;
  stdin: boolean;
  /** Kills the process (SIGKILL), even before its program runs. */
  signal?: AbortSignal;
}

/** A process that joined a running container. `exited`, the streams and `outputs` behave as for a container. */
export interface Execution extends Streams {
  readonly pid: number;
  readonly outputs: Container['outputs'];
  readonly exited: Promise<Exit>;
  kill(signal: number): void;
  resize(size: { rows: number; columns: number }): void;
  /** Closes the streams and descriptors. Idempotent. */
  close(): void;
}

/** Counters since the container's start. Times in nanoseconds, memory in bytes. */
export interface Stats {
  cpu: {
    total: number;
    user: number;
    system: number;
    perCpu?: number[];
    throttling: { periods: number; throttledPeriods: number; throttledTime: number };
    onlineCpus: number;
  };
  memory: {
    usage: number;
    maxUsage?: number;
    limit: number;
    stats: Record<string, number>;
    failcnt?: number;
  };
  pids: { current: number; limit?: number };
  /** Percent of the last ten seconds in which a process waited for it: where the kernel counts that by group (PSI, version 2). */
  pressure?: Partial<Record<'cpu' | 'memory' | 'io', number>>;
  blkio: { serviceBytes: BlkioEntry[]; serviced: BlkioEntry[] };
}

export interface BlkioEntry {
  major: number;
  minor: number;
  op: 'Read' | 'Write';
  value: number;
}

export interface Runtime {
  /** The steps that would start it, decoded; none is executed. */
  explain(options: Pick<CreateOptions, 'spec' | 'directory' | 'rootfs' | 'stdin' | 'init'>): ExplainedStep[];
  /**
   * Creates the container, whose process waits for start() before it runs its program. Without a terminal it may still be
   * making its mounts: start() rejects when one fails. On failure nothing is left.
   */
  create(options: CreateOptions): Promise<Container>;
  /**
   * Finds the container that an earlier daemon left in `directory`: a running one with its streams, or an
   * exited one with its exit and its remaining output. undefined when nothing of it is left.
   */
  adopt(options: { id: string; directory: string; spec: Spec }): Promise<Container | undefined>;
  /** Kills the remains of a container that cannot be adopted because its directory was damaged. */
  discard(options: { directory: string; cgroupsPath: string }): Promise<void>;
}
