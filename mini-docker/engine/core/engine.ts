// What the api calls: everything the engine does, in Docker's terms. Implemented by openEngine() in open.ts.
// Every method that takes a container takes its name, its id, or an unambiguous prefix of it, and rejects with an
// ExpectedError (errors.ts); its kinds say which status the api answers with.

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
import type {
  ContainersPruned,
  DiskUsage,
  EventMessage,
  Filters,
  SystemInfo,
  SystemVersion,
} from '../../formats/engine-api/system.ts';
import type {
  VolumeCreateBody,
  VolumeList,
  VolumeResource,
  VolumesPruned,
} from '../../formats/engine-api/volumes.ts';
import type { ExplainedStep } from '../../formats/explanation.ts';
import type { NetworkMap } from '../../formats/network-map.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import type { SecurityReport } from '../../formats/security-report.ts';

export interface Engine {
  containers: ContainersApi;
  execs: ExecsApi;
  images: ImagesApi;
  manifests: ManifestsApi;
  networks: NetworksApi;
  volumes: VolumesApi;
  builds: BuildsApi;
  system: SystemApi;
  /** Stops serving: followers and attached clients end, state is on disk; containers go on running. Idempotent. */
  close(): Promise<void>;
}

export interface ContainersApi {
  /** notFound: no such image. conflict: name in use. badParameter: anything wrong in `body`. `name` without '/'. */
  create(options: { name?: string; platform?: string; body: ContainerCreateBody }): Promise<ContainerCreated>;
  /** notModified: runs already. cannotRun: the program could not be executed (exitCode 126, 127). */
  start(container: string): Promise<void>;
  /** `timeout` in seconds until SIGKILL, -1 for ever; default: the container's StopTimeout, else 10. notModified: does not run. */
  stop(container: string, options?: StopOptions): Promise<void>;
  restart(container: string, options?: StopOptions): Promise<void>;
  /** `signal`: 'SIGTERM', 'TERM' or '15'; default SIGKILL. conflict: does not run. */
  kill(container: string, signal?: string): Promise<void>;
  pause(container: string): Promise<void>;
  unpause(container: string): Promise<void>;
  /**
   * Resolves as soon as the container is found, so that the api can send its headers; `result` settles when the
   * condition is met. `signal` ends the waiting (result then rejects with an AbortError).
   */
  wait(container: string, options?: WaitOptions): Promise<{ result: Promise<ContainerWaited> }>;
  rename(container: string, name: string): Promise<void>;
  update(container: string, body: ContainerUpdateBody): Promise<{ Warnings: string[] }>;
  inspect(container: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  list(options?: ListOptions): Promise<ContainerSummary[]>;
  /** `psArgs` as for ps(1); default '-ef'. */
  top(container: string, psArgs?: string): Promise<ContainerTop>;
  /**
   * Resolves once the container is found and the options make sense. Iterating reads the log as fast as the
   * reader takes it; the container is never held up. Breaking out of the loop gives everything back.
   */
  logs(
    container: string,
    options: LogsOptions,
  ): Promise<{
    tty: boolean;
    /** What --log-opt adds to every line: labels, variables, and a tag. */
    details: Record<string, string>;
    entries: AsyncIterable<LogEntry>;
  }>;
  /** The client's ends of the container's streams. conflict: the container is paused or does not exist any more. */
  attach(container: string, options: AttachOptions): Promise<Attachment>;
  resize(container: string, size: { rows: number; columns: number }): Promise<void>;
  /**
   * With `stream` one reading a second until the reader breaks out or the container is removed; else one
   * (with `oneShot` without waiting for a second reading to compare with).
   */
  stats(
    container: string,
    options: { stream: boolean; oneShot: boolean },
  ): Promise<AsyncIterable<ContainerStats>>;
  changes(container: string): Promise<FilesystemChange[]>;
  /** notFound: no such path in the container. `path` is the container's. */
  statPath(container: string, path: string): Promise<ContainerPathStat>;
  /** A tar stream of the path (a directory with everything below it). */
  getArchive(
    container: string,
    path: string,
  ): Promise<{ stat: ContainerPathStat; tar: AsyncIterable<Uint8Array> }>;
  /** Unpacks a tar (plain or compressed) in directory `path` of the container. */
  putArchive(container: string, path: string, options: PutArchiveOptions): Promise<void>;
  /** The whole root filesystem as a tar stream. */
  export(container: string): Promise<AsyncIterable<Uint8Array>>;
  /** conflict: it runs, and not `force`. `volumes`: its anonymous volumes too. */
  remove(container: string, options?: { force?: boolean; volumes?: boolean; link?: boolean }): Promise<void>;
  prune(filters?: Filters): Promise<ContainersPruned>;
  /** Its changes on top of its image; @returns the new image's id. badParameter: a wrong change or name. */
  commit(container: string, options: CommitOptions): Promise<string>;
  /** The steps that would start it, without doing any. */
  explain(options: { platform?: string; body: ContainerCreateBody }): Promise<ExplainedStep[]>;
  /** The steps that did start it, with results and times. conflict: it was not started with tracing (the annotation 'mini-docker.trace'). */
  trace(container: string): Promise<ExplainedStep[]>;
  /** What its process may do, by the kernel's word. conflict: it does not run. */
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
  /** The last n created, running or not. */
  limit?: number;
  size?: boolean;
  filters?: Filters;
}

export interface LogsOptions {
  stdout: boolean;
  stderr: boolean;
  follow?: boolean;
  /** Nanoseconds since 1970 (formats/timestamp.ts reads what clients send). */
  since?: bigint;
  until?: bigint;
  /** The last n lines; all when missing. */
  tail?: number;
  /** Ends following. */
  signal?: AbortSignal;
}

export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since 1970. */
  time: bigint;
  /** As the program wrote it, newline included; a piece of it when the line is longer than 16 KiB. */
  data: Uint8Array;
}

export interface AttachOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** What was written before. */
  logs: boolean;
  /** What is written from now on. */
  stream: boolean;
}

/** A client's connection with a program. The container is never held up by a client who does not read. */
export interface Attachment {
  /** With a terminal there is only one stream, and the api sends it without framing ('stdout'). */
  tty: boolean;
  /** Ends when the program has ended and everything was delivered. Breaking out of the loop detaches. */
  output: AsyncIterable<{ stream: 'stdout' | 'stderr'; data: Uint8Array }>;
  /** Resolves when the program's pipe has taken it. Rejects when the program reads no more. No-op without stdin. */
  write(data: Uint8Array): Promise<void>;
  /** The client sends no more. */
  endInput(): void;
  /** The client has gone, or asked to detach by its keys. Idempotent. */
  detach(): void;
}

export interface PutArchiveOptions {
  tar: AsyncIterable<Uint8Array>;
  /** Refuse to put a directory where a file is and the other way round. */
  noOverwriteDirNonDir?: boolean;
}

export interface CommitOptions {
  /** 'repository:tag' */
  reference?: string;
  author?: string;
  comment?: string;
  /** Instructions of a Dockerfile: 'CMD ["sh"]' */
  changes?: string[];
  /** In place of the container's own. */
  config?: ContainerConfig;
  /** Hold its processes meanwhile; true when missing. */
  pause?: boolean;
}

export interface BuildsApi {
  /** badParameter: anything wrong in the Dockerfile or the context. Before the first message for what can be known. */
  build(request: BuildRequest): Promise<void>;
  /** `keep`: bytes that may stay. Filters: until. */
  prune(options: { keep?: number; filters?: Filters }): Promise<BuildPruned>;
}

export interface ExecsApi {
  /** conflict: the container does not run or is paused. */
  create(container: string, body: ExecCreateBody): Promise<{ Id: string }>;
  /**
   * Runs it. Without `detach` resolves with its streams; conflict: it was started already; cannotRun: exitCode 126, 127.
   * `ready` is waited for just before the program starts: nothing that is known speaks against it.
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
  /** What each layer adds, changes and hides. */
  layers(reference: string): Promise<ImageLayers>;
  /**
   * `send` hears how it goes. notFound: no such image, or not for this user. internal: the registry cannot be reached.
   * The same for `push`, where nothing is sent but that it begins when there is no such image.
   */
  pull(reference: string, options: TransferOptions & { allTags?: boolean; platform?: string }): Promise<void>;
  /** Without a tag all tags of the name. */
  push(reference: string, options: TransferOptions): Promise<void>;
  /** badParameter: no archive of images, or a broken one. */
  load(
    source: AsyncIterable<Uint8Array>,
    options: { quiet: boolean; send(message: ProgressMessage): void },
  ): Promise<void>;
  /** notFound before the first piece. */
  save(references: string[]): Promise<AsyncIterable<Uint8Array>>;
  /** @returns the new image's id. `changes`: instructions of a Dockerfile. */
  import(options: ImportOptions): Promise<string>;
  /** unauthorized: the registry does not take this user. */
  login(auth: RegistryAuth): Promise<void>;
  /** `term`: 'redis', 'localhost:5000/redis'. Filters: stars, is-official. */
  search(
    term: string,
    options: { limit: number; auth?: RegistryAuth; filters?: Filters },
  ): Promise<ImageFound[]>;
  /** What the registry has under the name. */
  distribution(reference: string, options?: { auth?: RegistryAuth }): Promise<DistributionInspect>;
}

export interface TransferOptions {
  auth?: RegistryAuth;
  signal: AbortSignal;
  send(message: ProgressMessage): void;
}

export interface ImportOptions {
  /** A tar of a file system: plain or compressed. */
  source: AsyncIterable<Uint8Array>;
  reference?: string;
  message?: string;
  changes?: string[];
  platform?: string;
}

/** Drafts of indexes of images for several platforms, kept here until they are pushed. */
export interface ManifestsApi {
  /** @returns the list's name in full */
  create(name: string, options: { images: string[]; amend: boolean; auth?: RegistryAuth }): Promise<string>;
  annotate(name: string, image: string, platform: Partial<ImagePlatform>): Promise<void>;
  /** A draft, or what the registry has. */
  inspect(name: string, options?: { auth?: RegistryAuth }): Promise<ManifestListInspect>;
  /** @returns the index's digest */
  push(name: string, options: { purge: boolean; auth?: RegistryAuth }): Promise<string>;
  remove(name: string): Promise<void>;
}

export interface NetworksApi {
  /** Without who is on them. badParameter: an unknown filter. */
  list(filters?: Filters): Promise<NetworkResource[]>;
  inspect(network: string): Promise<NetworkResource>;
  /** conflict: the name is taken. forbidden: a predefined name, or addresses of another network. */
  create(body: NetworkCreateBody): Promise<NetworkCreated>;
  /** forbidden: predefined, or containers run on it. */
  remove(network: string): Promise<void>;
  /** Those that no container is to be on, running or not. */
  prune(filters?: Filters): Promise<NetworksPruned>;
  /** Of a running container at once, of another one from its next start on. forbidden: it is on it, or shares a network. */
  connect(network: string, body: NetworkConnectBody): Promise<void>;
  disconnect(network: string, body: NetworkDisconnectBody): Promise<void>;
  /** What the kernel has of them. */
  map(): Promise<NetworkMap>;
}

export interface VolumesApi {
  list(filters?: Filters): Promise<VolumeList>;
  /** One that exists already is what the caller gets. badParameter: name or options. notFound: no such driver. */
  create(body: VolumeCreateBody): Promise<VolumeResource>;
  inspect(name: string): Promise<VolumeResource>;
  /** conflict: a container has it, running or not. `force`: one that is not there is no error. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Anonymous ones that no container has; with the filter all=true named ones too. */
  prune(filters?: Filters): Promise<VolumesPruned>;
}

export interface SystemApi {
  /** Past ones from `since` on (nanoseconds since 1970), then new ones until `until` or the signal. */
  events(options: {
    since?: bigint;
    until?: bigint;
    filters?: Filters;
    signal?: AbortSignal;
  }): AsyncIterable<EventMessage>;
  info(): Promise<SystemInfo>;
  version(): SystemVersion;
  diskUsage(): Promise<DiskUsage>;
}
