// The interface between the API and the engine: every operation, in Docker's terms. openEngine() in open.ts
// implements it. Every method that takes a container accepts its name, its id, or an unambiguous prefix of
// the id, and rejects with an ExpectedError (errors.ts), whose kind determines the HTTP status.

import type { BuildRequest } from '../../build/request.ts';
import type { BuildPruned } from '../../formats/engine-api/build.ts';
import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerCreated,
  ContainerInspect,
  ContainerPathStat,
  ContainerStats,
  ContainerSummary,
  ContainerTop,
  ContainerUpdateBody,
  ContainerWaited,
  ExecCreateBody,
  ExecInspect,
  FilesystemChange,
} from '../../formats/engine-api/containers.ts';
import type {
  DistributionInspect,
  ImageDeleted,
  ImageFound,
  ImageHistoryItem,
  ImageInspect,
  ImageLayers,
  ImagePlatform,
  ImageSummary,
  ImagesPruned,
  ImageVerification,
  ManifestListInspect,
  ProgressMessage,
} from '../../formats/engine-api/images.ts';
import type {
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkCreated,
  NetworkDisconnectBody,
  NetworkResource,
  NetworksPruned,
} from '../../formats/engine-api/networks.ts';
import type { ContainersPruned, Filters } from '../../formats/engine-api/system.ts';
import type {
  VolumeCreateBody,
  VolumeList,
  VolumeResource,
  VolumesPruned,
} from '../../formats/engine-api/volumes.ts';
import type { ExplainedStep } from '../../formats/explanation.ts';
import type { NetworkConditionBody, ShownCondition } from '../../formats/network-conditions.ts';
import type { NetworkMap } from '../../formats/network-map.ts';
import type { MissedPackets, TracedPacket } from '../../formats/network-trace.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import type { SecurityReport } from '../../formats/security-report.ts';
import type { WhyReport } from '../../formats/why-report.ts';
import type { CreateRequest } from './create-request.ts';
import type { SystemApi } from './system-api.ts';

export interface Engine {
  containers: ContainersApi;
  execs: ExecsApi;
  images: ImagesApi;
  manifests: ManifestsApi;
  networks: NetworksApi;
  volumes: VolumesApi;
  builds: BuildsApi;
  system: SystemApi;
  /** Stops all containers, each killed after so many seconds: "live-restore": false. */
  stopContainers(seconds: number): Promise<void>;
  /**
   * Stops serving: followers and attached clients are disconnected, state is saved, containers keep running.
   * Idempotent.
   */
  close(): Promise<void>;
}

export interface ContainersApi {
  /**
   * notFound: no such image. conflict: the name is in use. badParameter: `body` is invalid. `name` is
   * without '/'.
   */
  create(request: CreateRequest): Promise<ContainerCreated>;
  /** notModified: it is already running. cannotRun: the program could not be executed (exitCode 126, 127). */
  start(container: string): Promise<void>;
  /**
   * `timeout`: seconds until SIGKILL, -1 to wait for ever; default: the container's StopTimeout, else 10.
   * notModified: it is not running.
   */
  stop(container: string, options?: StopOptions): Promise<void>;
  restart(container: string, options?: StopOptions): Promise<void>;
  /** `signal`: 'SIGTERM', 'TERM' or '15'; default SIGKILL. conflict: it is not running. */
  kill(container: string, signal?: string): Promise<void>;
  pause(container: string): Promise<void>;
  unpause(container: string): Promise<void>;
  /**
   * Resolves as soon as the container is found, so that the api can send its headers; `result` settles when
   * the condition is met. `signal` cancels the wait (`result` then rejects with an AbortError).
   */
  wait(container: string, options?: WaitOptions): Promise<{ result: Promise<ContainerWaited> }>;
  rename(container: string, name: string): Promise<void>;
  update(container: string, body: ContainerUpdateBody): Promise<{ Warnings: string[] }>;
  inspect(container: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  list(options?: ListOptions): Promise<ContainerSummary[]>;
  /** `psArgs`: options of ps(1); default '-ef'. */
  top(container: string, psArgs?: string): Promise<ContainerTop>;
  /**
   * Resolves once the container is found and the options are valid. Iteration reads the log as fast as the
   * reader consumes it and never blocks the container. Leaving the loop releases all resources.
   */
  logs(
    container: string,
    options: LogsOptions,
  ): Promise<{
    tty: boolean;
    /** Attributes that --log-opt adds to every line: labels, variables, and a tag. */
    details: Record<string, string>;
    entries: AsyncIterable<LogEntry>;
  }>;
  /** The client's ends of the container's streams. conflict: the container is paused, or was removed. */
  attach(container: string, options: AttachOptions): Promise<Attachment>;
  resize(container: string, size: { rows: number; columns: number }): Promise<void>;
  /**
   * With `stream`, one reading a second until the reader leaves the loop or the container is removed;
   * otherwise a single one (with `oneShot`, without a second reading to compare with).
   */
  stats(
    container: string,
    options: { stream: boolean; oneShot: boolean },
  ): Promise<AsyncIterable<ContainerStats>>;
  changes(container: string): Promise<FilesystemChange[]>;
  /** `path` is the container's. notFound: no such path in the container. */
  statPath(container: string, path: string): Promise<ContainerPathStat>;
  /** A tar stream of the path (a directory with everything below it). */
  getArchive(
    container: string,
    path: string,
  ): Promise<{ stat: ContainerPathStat; tar: AsyncIterable<Uint8Array> }>;
  /** Unpacks a tar (plain or compressed) into the directory `path` of the container. */
  putArchive(container: string, path: string, options: PutArchiveOptions): Promise<void>;
  /** The whole root filesystem as a tar stream. */
  export(container: string): Promise<AsyncIterable<Uint8Array>>;
  /** conflict: it is running, and `force` is not set. `volumes`: remove its anonymous volumes too. */
  remove(container: string, options?: { force?: boolean; volumes?: boolean; link?: boolean }): Promise<void>;
  prune(filters?: Filters): Promise<ContainersPruned>;
  /**
   * Makes an image of the container's changes. @returns the new image's id. badParameter: an invalid change
   * or name.
   */
  commit(container: string, options: CommitOptions): Promise<string>;
  /** The steps that would start the container; none is executed. */
  explain(options: { platform?: string; body: ContainerCreateBody }): Promise<ExplainedStep[]>;
  /**
   * The steps that started the container, with results and times. conflict: it was started without tracing
   * (annotation 'mini-docker.trace').
   */
  trace(container: string): Promise<ExplainedStep[]>;
  /** Why the container ended, does not start, cannot be reached or is slow: the cause first. */
  why(container: string): Promise<WhyReport>;
  /** The rights of the container's process, as the kernel reports them. conflict: it is not running. */
  security(container: string): Promise<SecurityReport>;
}

export interface StopOptions {
  timeout?: number;
  signal?: string;
}

export interface WaitOptions {
  condition?: 'not-running' | 'next-exit' | 'removed';
  signal?: AbortSignal;
}

export interface ListOptions {
  all?: boolean;
  /** Number of containers to show, the last created first, running or not. */
  limit?: number;
  size?: boolean;
  filters?: Filters;
}

export interface LogsOptions {
  stdout: boolean;
  stderr: boolean;
  follow?: boolean;
  /** Nanoseconds since 1970 (formats/timestamp.ts decodes the clients' forms). */
  since?: bigint;
  until?: bigint;
  /** Number of lines from the end; all when missing. */
  tail?: number;
  /** Signal that ends following. */
  signal?: AbortSignal;
}

export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since 1970. */
  time: bigint;
  /** The line as the program wrote it, with its newline; a piece of a line of more than 16 KiB. */
  data: Uint8Array;
}

export interface AttachOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Send earlier output from the log. */
  logs: boolean;
  /** Send new output. */
  stream: boolean;
}

/** A client's connection with a program. A client that does not read never blocks the container. */
export interface Attachment {
  /** Whether there is a terminal: then 'stdout' is the only stream, and the api sends it unframed. */
  tty: boolean;
  /** Ends when the program has exited and all output was delivered. Leaving the loop detaches. */
  output: AsyncIterable<{ stream: 'stdout' | 'stderr'; data: Uint8Array }>;
  /**
   * Resolves when the program's pipe has taken the data. Rejects when the program no longer reads. No-op
   * without stdin.
   */
  write(data: Uint8Array): Promise<void>;
  /** The client has finished sending. */
  endInput(): void;
  /** The client has disconnected, or pressed the detach keys. Idempotent. */
  detach(): void;
}

export interface PutArchiveOptions {
  tar: AsyncIterable<Uint8Array>;
  /** Refuse to replace a file by a directory, or a directory by a file. */
  noOverwriteDirNonDir?: boolean;
  /** Files get the container's user as their owner, if it has one. */
  copyUIDGID?: boolean;
}

export interface CommitOptions {
  /** 'repository:tag' */
  reference?: string;
  author?: string;
  comment?: string;
  /** Dockerfile instructions: 'CMD ["sh"]' */
  changes?: string[];
  /** Configuration that replaces the container's. */
  config?: ContainerConfig;
  /** Pause the processes during the commit; true when missing. */
  pause?: boolean;
}

export interface BuildsApi {
  /**
   * badParameter: a fault in the Dockerfile or the context; reported before the first message where
   * possible.
   */
  build(request: BuildRequest): Promise<void>;
  /** `keep`: bytes of cache that may stay. Filters: until. */
  prune(options: { keep?: number; filters?: Filters }): Promise<BuildPruned>;
}

export interface ExecsApi {
  /** conflict: the container is not running, or is paused. */
  create(container: string, body: ExecCreateBody): Promise<{ Id: string }>;
  /**
   * Starts the program. Without `detach` resolves with its streams; conflict: it was already started;
   * cannotRun: exitCode 126, 127. `ready` runs just before the program starts, when no foreseeable error is
   * left.
   */
  start(
    exec: string,
    options: {
      detach: boolean;
      tty?: boolean;
      consoleSize?: [number, number];
      ready?: () => Promise<void>;
    },
  ): Promise<Attachment | undefined>;
  inspect(exec: string): Promise<ExecInspect>;
  resize(exec: string, size: { rows: number; columns: number }): Promise<void>;
}

export interface ImagesApi {
  list(options?: { all?: boolean; filters?: Filters }): Promise<ImageSummary[]>;
  inspect(reference: string): Promise<ImageInspect>;
  history(reference: string): Promise<ImageHistoryItem[]>;
  /** `reference`: the new name, 'repository:tag'. */
  tag(image: string, reference: string): Promise<void>;
  remove(reference: string, options: { force: boolean }): Promise<ImageDeleted[]>;
  /** Filters: dangling, until, label, label!. */
  prune(filters: Filters): Promise<ImagesPruned>;
  /** The files that each layer adds, changes and hides. */
  layers(reference: string): Promise<ImageLayers>;
  /**
   * `send` receives progress messages. notFound: no such image, or not for this user. internal: the registry
   * cannot be reached. The same holds for `push`, which sends no message when the image does not exist.
   */
  pull(reference: string, options: TransferOptions & { allTags?: boolean; platform?: string }): Promise<void>;
  /** Pushes one tag; all tags of the name when none is given. */
  push(reference: string, options: TransferOptions): Promise<void>;
  /** badParameter: not an archive of images, or a damaged one. */
  load(
    source: AsyncIterable<Uint8Array>,
    options: { quiet: boolean; send(message: ProgressMessage): void },
  ): Promise<void>;
  /** notFound rejects the promise, before any bytes. */
  save(references: string[]): Promise<AsyncIterable<Uint8Array>>;
  /** @returns the new image's id. `changes`: Dockerfile instructions. */
  import(options: ImportOptions): Promise<string>;
  /** unauthorized: the registry rejects the credentials. */
  login(auth: RegistryAuth): Promise<void>;
  /** `term`: 'redis', 'localhost:5000/redis'. Filters: stars, is-official. */
  search(
    term: string,
    options: { limit: number; auth?: RegistryAuth; filters?: Filters },
  ): Promise<ImageFound[]>;
  /** The registry's entry for the name. */
  distribution(reference: string, options?: { auth?: RegistryAuth }): Promise<DistributionInspect>;
  /** @param options.key a public key in PEM, in place of the signature policy */
  verify(reference: string, options?: { auth?: RegistryAuth; key?: string }): Promise<ImageVerification>;
}

export interface TransferOptions {
  auth?: RegistryAuth;
  signal: AbortSignal;
  send(message: ProgressMessage): void;
}

export interface ImportOptions {
  /** A tar of a file system, plain or compressed. */
  source: AsyncIterable<Uint8Array>;
  reference?: string;
  message?: string;
  changes?: string[];
  platform?: string;
}

/** Drafts of image indexes (several platforms under one name), kept locally until they are pushed. */
export interface ManifestsApi {
  /** @returns the full name of the list */
  create(name: string, options: { images: string[]; amend: boolean; auth?: RegistryAuth }): Promise<string>;
  annotate(name: string, image: string, platform: Partial<ImagePlatform>): Promise<void>;
  /** A draft, or else the registry's list. */
  inspect(name: string, options?: { auth?: RegistryAuth }): Promise<ManifestListInspect>;
  /** @returns the index's digest */
  push(name: string, options: { purge: boolean; auth?: RegistryAuth }): Promise<string>;
  remove(name: string): Promise<void>;
}

export interface NetworksApi {
  /** Networks without their containers. badParameter: an unknown filter. */
  list(filters?: Filters): Promise<NetworkResource[]>;
  inspect(network: string): Promise<NetworkResource>;
  /**
   * conflict: the name is taken. forbidden: a predefined name, or addresses that overlap another
   * network's.
   */
  create(body: NetworkCreateBody): Promise<NetworkCreated>;
  /** forbidden: a predefined network, or one with running containers. */
  remove(network: string): Promise<void>;
  /** Removes networks that no container uses, running or not. */
  prune(filters?: Filters): Promise<NetworksPruned>;
  /**
   * Takes effect immediately for a running container, else at its next start. forbidden: already connected,
   * or it shares a network namespace.
   */
  connect(network: string, body: NetworkConnectBody): Promise<void>;
  disconnect(network: string, body: NetworkDisconnectBody): Promise<void>;
  /** Makes the network of a container, or of all that are on a network, worse until they stop. notFound: neither. */
  setCondition(body: NetworkConditionBody): Promise<void>;
  /** What the kernel does now; of all containers where there is no target. */
  showConditions(target?: string): Promise<ShownCondition[]>;
  clearConditions(target?: string): Promise<void>;
  /** Keeps groups of containers from each other, until the next call; [] ends it. */
  partition(groups: string[][]): Promise<void>;
  /** Names of containers. */
  partitions(): string[][];
  /** The kernel's view of the networks. */
  map(): Promise<NetworkMap>;
  /** The paths of a container's packets, until the signal aborts. */
  trace(
    container: string,
    options: { port?: number | undefined; signal: AbortSignal },
  ): AsyncIterable<TracedPacket | MissedPackets>;
}

export interface VolumesApi {
  list(filters?: Filters): Promise<VolumeList>;
  /**
   * Returns an existing volume of that name unchanged. badParameter: name or options. notFound: no such
   * driver.
   */
  create(body: VolumeCreateBody): Promise<VolumeResource>;
  inspect(name: string): Promise<VolumeResource>;
  /** conflict: a container uses it, running or not. `force`: ignore a missing volume. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Removes unused anonymous volumes; with the filter all=true, named ones too. */
  prune(filters?: Filters): Promise<VolumesPruned>;
}
