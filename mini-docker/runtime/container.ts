// What the engine sees of one container at run time. Implemented in runtime.ts.
import type { Readable, Writable } from 'node:stream';
import type { ExplainedStep } from '../formats/explanation.ts';
import type { Process, Resources, Spec } from '../formats/oci/runtime-spec.ts';
import type { Descriptor } from '../linux/descriptor.ts';

export interface CreateOptions {
  /** 64 hexadecimal digits. */
  id: string;
  /** The container's own directory below the run directory (a tmpfs as a rule); must exist. Runtime state lives in it. */
  directory: string;
  spec: Spec;
  /** The root filesystem: layers from top to bottom, and the writable layer. `spec.root.path` is where it is mounted, in the container's mount namespace only. */
  rootfs: { lowerdirs: string[]; upperdir: string; workdir: string };
  /** Keep a pipe open for the program's standard input (docker's OpenStdin); else it is /dev/null. With spec.process.terminal the pty serves instead. */
  stdin: boolean;
  /** Run an init as pid 1, which forwards signals and reaps zombies, and the program below it (`--init`). */
  init?: boolean;
  /** Keep the result and the time of each step of the start, for Container.trace(). */
  trace?: boolean;
  /** Called once the container's namespaces exist and before its program runs: the place to move network links in. */
  onNamespaces?(pid: number): Promise<void>;
}

export interface Exit {
  /** 0 to 255; 128 + n when signal n ended it; undefined when it cannot be known (its monitor was killed). */
  code: number | undefined;
  signal?: number;
  oomKilled: boolean;
  at: Date;
}

/** The program's ends of its streams. With a terminal only `stdin` and `stdout` exist, and both are the pty. */
export interface Streams {
  stdin?: Writable;
  stdout?: Readable;
  stderr?: Readable;
}

export interface Container extends Streams {
  readonly id: string;
  /** On the host. */
  readonly pid: number;
  /**
   * The descriptors behind `stdout` and `stderr`, for who reads them in its own way: in place of those two, which read
   * as soon as they are asked for. They stay the container's; delete() closes them.
   */
  readonly outputs: {
    stdout?: Descriptor | undefined;
    stderr?: Descriptor | undefined;
    terminal?: Descriptor | undefined;
  };
  /** Lets the program run. Rejects with a SyscallError (syscall 'execve', code 'ENOENT', 'EACCES', …) when it cannot; the container is then gone but for delete(). */
  start(): Promise<void>;
  /** Settles when the program has ended and never rejects. The streams may still hold output: read them to their end. */
  readonly exited: Promise<Exit>;
  /** Sends a signal (by number) to pid 1. False when it has ended. */
  kill(signal: number): boolean;
  pause(): Promise<void>;
  resume(): Promise<void>;
  resize(size: { rows: number; columns: number }): void;
  /** Changes limits of the running container. */
  update(resources: Resources): Promise<void>;
  /** Calls back when the kernel has killed a process of the container for want of memory, until it has ended. */
  onOomKill(listener: () => void): void;
  stats(): Promise<Stats>;
  /** Pids on the host of all processes of the container's cgroup. */
  processes(): number[];
  exec(options: ExecOptions): Promise<Execution>;
  /** The steps of its start with results and times, when it was made with `trace`. */
  trace(): ExplainedStep[] | undefined;
  /** Ends what still runs (SIGKILL to the whole cgroup, thawing it first), gives back the cgroup and the monitor. Idempotent. */
  delete(): Promise<void>;
}

export interface ExecOptions {
  /** Its capabilities, cwd, user, env, terminal, … in full, as for a container. */
  process: Process;
  stdin: boolean;
  /** Ends it (SIGKILL), be it on the way to its program. */
  signal?: AbortSignal;
}

/** A process that joined a running container. `exited` and the streams behave as a container's. */
export interface Execution extends Streams {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: number): void;
  resize(size: { rows: number; columns: number }): void;
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
  blkio: { serviceBytes: BlkioEntry[]; serviced: BlkioEntry[] };
}

export interface BlkioEntry {
  major: number;
  minor: number;
  op: 'Read' | 'Write';
  value: number;
}

export interface Runtime {
  /** The steps that would start it, decoded, without making any. */
  explain(options: Pick<CreateOptions, 'spec' | 'directory' | 'rootfs' | 'stdin' | 'init'>): ExplainedStep[];
  /** Makes the container up to the point before its program runs. On failure nothing is left. */
  create(options: CreateOptions): Promise<Container>;
  /**
   * Finds the container that an earlier daemon left in `directory`: running ones with their streams, and ended ones
   * with their exit and what is left of their output. undefined when nothing of it is left.
   */
  adopt(options: { id: string; directory: string; spec: Spec }): Promise<Container | undefined>;
  /** Ends whatever there still is of a container that cannot be adopted, because its directory is not what it was. */
  discard(options: { directory: string; cgroupsPath: string }): Promise<void>;
}
