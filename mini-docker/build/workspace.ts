// What all stages of one build work with, and directories that end with it.
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import type { ProgressMessage } from '../formats/engine-api/images.ts';
import type { ProcessDefaults } from '../formats/oci/image-config.ts';
import type { Mount, Spec } from '../formats/oci/runtime-spec.ts';
import type { ImageProgress, ImageStore } from '../images/image.ts';
import { O } from '../linux/constants.ts';
import type { Runtime } from '../runtime/container.ts';
import type { StepCache } from './cache.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { BuildOutput } from './output.ts';
import type { BuildRequest } from './request.ts';
import type { StageState } from './state.ts';

/** What a build needs of those who know more than images: the engine gives it. */
export interface BuildHost {
  images: ImageStore;
  runtime: Runtime;
  cache: StepCache;
  cacheMounts: CacheMounts;
  /** For files of builds, on the filesystem of the layers. */
  directory: string;
  /** For runtime state and secrets: a tmpfs as a rule. */
  runDirectory: string;
  /** The root of an overlay that is mounted nowhere: layers topmost first. Without `workdir` it is read-only. */
  openView(view: { lowerdirs: string[]; upperdir: string; workdir?: string }): number;
  /** A spec as for `run`, and a network. */
  prepareRun(request: RunRequest): Promise<PreparedRun>;
  newId(): string;
  /** Progress of a pull in the words of the API, and not more often than people can see. */
  progressReporter(send: (message: ProgressMessage) => void): (progress: ImageProgress) => void;
}

export interface RunRequest {
  id: string;
  /** Of the build step, on disk and in the run directory. */
  directory: string;
  runDirectory: string;
  layers: { lowerdirs: string[]; upperdir: string; workdir: string };
  /** The id of the image that it would be: events name it. */
  image: string;
  /** Stands for the layers. */
  key: string;
  args: string[];
  config: ProcessDefaults;
  host: HostConfig;
  mounts: Mount[];
}

export interface PreparedRun {
  spec: Spec;
  layers: RunRequest['layers'];
  /** Connects it, once its namespaces are there. */
  connect(pid: number): Promise<void>;
  /** Gives back what connect() took. */
  release(): Promise<void>;
  /** Tells those who follow the engine's events. */
  happened(action: string, more?: Record<string, string>): void;
  /** A line for a program that cannot be run. */
  explain(cause: unknown): Error;
}

export interface Workspace {
  host: BuildHost;
  request: BuildRequest;
  output: BuildOutput;
  signal: AbortSignal;
  /** A descriptor of the unpacked context. */
  context: number;
  contextPath: string;
  /** Stands for all of the context. */
  contextDigest(): Promise<string>;
  /** Nanoseconds since 1970: later times become this one. */
  epoch: bigint | undefined;
  /** What the build uses is not collected meanwhile. */
  hold(digest: string): void;
  /** A fresh directory, removed with the build. */
  directory(name: string): string;
  runDirectory(name: string): string;
  /** Another stage, or an image, by what --from says. */
  tree(name: string, before: number): Promise<StageState>;
}

/** Topmost first. Overlay refuses a directory that comes twice (ELOOP); the lower one has nothing to add. */
export function lowerdirsOf(host: BuildHost, state: StageState): string[] {
  const own = state.layers.map(each => host.images.loose.directory(each.diffId)).reverse();
  return [...new Set([...own, ...state.baseDirectories])];
}

/** A directory's layers in a view to read: the caller's to close. */
export function openState(workspace: Workspace, state: StageState): number {
  const [upperdir = workspace.directory('empty'), ...lowerdirs] = lowerdirsOf(workspace.host, state);
  return workspace.host.openView({ upperdir, lowerdirs });
}

/** What overlay wants to write to. */
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

/** A view in which everything can be changed; changes go to the upper directory. The caller's to close. */
export function openWritable(workspace: Workspace, state: StageState, layer: Writable): number {
  const lowerdirs = lowerdirsOf(workspace.host, state);
  // Overlay wants something below: from scratch there is nothing.
  if (lowerdirs.length === 0) return openSync(layer.upperdir, O.RDONLY | O.DIRECTORY);
  return workspace.host.openView({ lowerdirs, ...layer });
}
