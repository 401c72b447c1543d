// The resources that all stages of one build share, with directories that are removed when the build ends.
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import type { ProgressMessage } from '../formats/engine-api/images.ts';
import type { ProcessDefaults } from '../formats/oci/image-config.ts';
import type { Mount, Spec } from '../formats/oci/runtime-spec.ts';
import type { Image, ImageProgress, ImageStore } from '../images/image.ts';
import { O } from '../linux/constants.ts';
import type { Runtime } from '../runtime/container.ts';
import type { StepCache } from './cache.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { BuildOutput } from './output.ts';
import type { BuildRequest } from './request.ts';
import type { StageState } from './state.ts';

/** The services that a build needs beyond images; the engine provides them. */
export interface BuildHost {
  images: ImageStore;
  runtime: Runtime;
  cache: StepCache;
  cacheMounts: CacheMounts;
  /** Directory for the build's files, on the filesystem of the layers. */
  directory: string;
  /** Directory for runtime state and secrets, normally a tmpfs. */
  runDirectory: string;
  /** Opens the root of a detached overlay: layers topmost first. Without `workdir` it is read-only. */
  openView(view: { lowerdirs: string[]; upperdir: string; workdir?: string }): number;
  /** Prepares a spec, as for `run`, and a network. */
  prepareRun(request: RunRequest): Promise<PreparedRun>;
  /** Makes a container that stays after the build. */
  keepContainer(kept: KeptContainer): void;
  newId(): string;
  /** Reports a pull's progress in the API's format, no more often than a reader can follow. */
  progressReporter(send: (message: ProgressMessage) => void): (progress: ImageProgress) => void;
}

/** What is left of a step with --rm=false. */
export interface KeptContainer {
  id: string;
  /** The image on which the step ran. */
  image: Image;
  /** The program with its arguments, or what stands for it where the step ran none. */
  args: string[];
  host: HostConfig;
  /** For a step that ran: its writable layer, which moves to the container. */
  ran?: { upperdir: string; state: { startedAt: string; finishedAt: string; exitCode: number } };
}

export interface RunRequest {
  id: string;
  /** The build step's directory on disk; `runDirectory` is for its runtime state. */
  directory: string;
  runDirectory: string;
  layers: { lowerdirs: string[]; upperdir: string; workdir: string };
  /** Id that the image would have now, for events. */
  image: string;
  /** Key of the layers. */
  key: string;
  args: string[];
  config: ProcessDefaults;
  host: HostConfig;
  mounts: Mount[];
}

export interface PreparedRun {
  spec: Spec;
  layers: RunRequest['layers'];
  /** Connects the container to its network, once its namespaces exist. */
  connect(pid: number): Promise<void>;
  /** Gives back what connect() took. */
  release(): Promise<void>;
  /** Reports an event to the engine's clients. */
  happened(action: string, more?: Record<string, string>): void;
  /** Turns the cause into a one-line error for a program that cannot be run. */
  explain(cause: unknown): Error;
}

export interface Workspace {
  host: BuildHost;
  request: BuildRequest;
  output: BuildOutput;
  signal: AbortSignal;
  /** Descriptor of the unpacked context. */
  context: number;
  contextPath: string;
  /** Digest of the whole context. */
  contextDigest(): Promise<string>;
  /** Latest file time, in nanoseconds since 1970; later times are set to this one. */
  epoch: bigint | undefined;
  /** The images of --cache-from. */
  cacheSources: Promise<Image[]>;
  /** Protects a layer from garbage collection during the build. */
  hold(digest: string): void;
  /** Creates a new directory, which is removed with the build. */
  directory(name: string): string;
  runDirectory(name: string): string;
  /** The stage or image that --from names. */
  tree(name: string, before: number): Promise<StageState>;
}

/**
 * Directories topmost first, without duplicates: overlay refuses those (ELOOP), and the lower one adds
 * nothing.
 */
export function lowerdirsOf(host: BuildHost, state: StageState): string[] {
  const own = state.layers.map(each => host.images.loose.directory(each.diffId)).reverse();
  return [...new Set([...own, ...state.baseDirectories])];
}

/** Opens a read-only view of the stage's layers; the caller closes the descriptor. */
export function openState(workspace: Workspace, state: StageState): number {
  const [upperdir = workspace.directory('empty'), ...lowerdirs] = lowerdirsOf(workspace.host, state);
  return workspace.host.openView({ upperdir, lowerdirs });
}

/** The directories that overlay needs to write to. */
export interface Writable {
  upperdir: string;
  workdir: string;
}

export function writable(workspace: Workspace): Writable {
  const directory = workspace.directory('step');
  const [upperdir, workdir] = [join(directory, 'upper'), join(directory, 'work')];
  for (const each of [upperdir, workdir]) mkdirSync(each, { mode: 0o755 });
  return { upperdir, workdir };
}

/** Opens a writable view; changes go to the upper directory. The caller closes the descriptor. */
export function openWritable(workspace: Workspace, state: StageState, layer: Writable): number {
  const lowerdirs = lowerdirsOf(workspace.host, state);
  // Overlay needs a lower directory, and a stage from scratch has none.
  if (lowerdirs.length === 0) return openSync(layer.upperdir, O.RDONLY | O.DIRECTORY);
  return workspace.host.openView({ lowerdirs, ...layer });
}
