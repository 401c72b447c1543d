// RUN: starts a container on top of the stage's layers, as `run` would; its changes become a layer.
import { chmodSync, closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstructionOf } from '../formats/dockerfile/instruction.ts';
import type { HostConfig } from '../formats/engine-api/containers.ts';
import type { LooseLayer } from '../images/image.ts';
import type { Container, Exit } from '../runtime/container.ts';
import { commandWords, runWords } from './configure.ts';
import { BuildError } from './errors.ts';
import { storeLayer } from './layer.ts';
import type { StageOutput } from './output.ts';
import { imageOf } from './result.ts';
import { prepareMounts } from './run-mounts.ts';
import { imageIdOf, isBase, type StageState } from './state.ts';
import { removeStubs } from './stubs.ts';
import { makeDirectories } from './transfer.ts';
import {
  type KeptContainer,
  lowerdirsOf,
  openWritable,
  type Workspace,
  type Writable,
  writable,
} from './workspace.ts';

export interface RunStep {
  command: InstructionOf<'run'>;
  /** Values of --mount, with variables expanded. */
  mounts: readonly string[];
  /** Variables of the configuration and of ARG: 'NAME=value'. */
  env: string[];
  stage: number;
  output: StageOutput;
}

/** Milliseconds in which output may still arrive after the program has exited. */
const PATIENCE = 2000;
const KILL = 9;

/**
 * Runs the step; the container is always removed.
 * @throws BuildError when the command fails or cannot be started
 */
export async function runStep(
  workspace: Workspace,
  state: StageState,
  step: RunStep,
): Promise<LooseLayer | undefined> {
  const { host, request, signal } = workspace;
  const { command, stage, output } = step;
  const { args, script } = commandOf(workspace, state, command);
  using prepared = await prepareMounts(workspace, state, { flags: step.mounts, stage });
  const layer = writable(workspace);
  makeVolumes(workspace, state, layer);
  const lowerdirs = lowerdirsOf(host, state);
  const layers = { lowerdirs: lowerdirs.length > 0 ? lowerdirs : [workspace.directory('empty')], ...layer };
  const id = host.newId();
  const [directory, runDirectory] = [workspace.directory('container'), workspace.runDirectory('container')];
  const run = await host.prepareRun({
    id,
    directory,
    runDirectory,
    layers,
    image: imageIdOf(state),
    key: state.key,
    args,
    config: { ...state.config, Env: [...step.env, ...prepared.env] },
    host: hostConfigOf(request.host, command),
    mounts: [...prepared.mounts, ...script],
  });
  let container: Container | undefined;
  const ran = { startedAt: new Date().toISOString(), finishedAt: '', exitCode: 0 };
  let failed: BuildError | undefined;
  let kept = false;
  try {
    signal.throwIfAborted();
    container = await host.runtime.create({
      id,
      directory: runDirectory,
      spec: run.spec,
      rootfs: run.layers,
      stdin: false,
      onNamespaces: run.connect,
    });
    for (const action of ['create', 'attach']) run.happened(action);
    await output.note(` ---> Running in ${id.slice(0, 12)}`);
    const { stdout, stderr } = container;
    const written = Promise.all([pass(stdout, output, false), pass(stderr, output, true)]);
    await container.start();
    run.happened('start');
    const exit = await ended(container, signal);
    run.happened('die', { exitCode: String(exit.code ?? -1) });
    await Promise.race([written, sleep(PATIENCE, undefined, { ref: false })]);
    signal.throwIfAborted();
    if (exit.code !== 0) failed = failure(exit, args);
    ran.finishedAt = new Date().toISOString();
    ran.exitCode = exit.code ?? 255;
    kept = request.keepContainers;
  } catch (cause) {
    if (cause instanceof BuildError || signal.aborted) throw cause;
    // The build fails although no program ran, so there is no exit code.
    throw new BuildError(run.explain(cause).message, { cause });
  } finally {
    await container?.delete();
    await container?.unmounted;
    await run.release();
    if (!kept) {
      if (container !== undefined) run.happened('destroy');
      await output.note(`Removing intermediate container ${id.slice(0, 12)}`);
    }
  }
  removeStubs(workspace, state, {
    upperdir: layer.upperdir,
    places: run.spec.mounts.map(each => each.destination),
  });
  const stored = failed === undefined ? await storeLayer(workspace, layer.upperdir) : undefined;
  if (kept) {
    const { upperdir } = layer;
    await keepContainer(workspace, state, { id, args, ran: { upperdir, state: ran } });
  }
  if (failed !== undefined) throw failed;
  return stored;
}

/** For --rm=false. Nothing is kept of a step on no image. */
export async function keepContainer(
  { host, request }: Workspace,
  state: StageState,
  kept: Pick<KeptContainer, 'id' | 'args' | 'ran'>,
): Promise<void> {
  if (state.base === undefined && isBase(state)) return;
  const image = await imageOf(host.images, { state, tags: [] });
  host.keepContainer({ image, host: request.host, ...kept });
}

/**
 * Creates directories for the image's volumes, which stay in the image.
 * @throws BuildError when one cannot be made
 */
function makeVolumes(workspace: Workspace, state: StageState, layer: Writable): void {
  const paths = Object.keys(state.config.Volumes ?? {});
  if (paths.length === 0) return;
  const root = openWritable(workspace, state, layer);
  try {
    for (const path of paths) makeDirectories(root, path);
  } finally {
    closeSync(root);
  }
}

/** A here-document on its own is a script for the shell, or a program if it begins with '#!'. */
function commandOf(workspace: Workspace, state: StageState, { command, documents }: RunStep['command']) {
  const [document] = documents;
  if (document === undefined || command.form === 'exec') {
    return { args: runWords(command, state.config), script: [] };
  }
  const isAlone = documents.length === 1 && /^<<-?\s*["'\\]?[^\s"']+["']?$/.test(command.text);
  if (isAlone && document.content.startsWith('#!')) {
    const path = join(workspace.directory('script'), 'script');
    writeFileSync(path, document.content);
    chmodSync(path, 0o755);
    const destination = '/dev/pipes/script';
    return {
      args: [destination],
      script: [{ destination, type: 'bind', source: path, options: ['bind', 'rprivate', 'ro'] }],
    };
  }
  const text = isAlone
    ? document.content
    : `${command.text}\n${documents.map(each => `${each.content}${each.name}\n`).join('')}`;
  return { args: commandWords({ form: 'shell', text }, state.config), script: [] };
}

function hostConfigOf(host: HostConfig, { network }: RunStep['command']): HostConfig {
  return network === undefined || network === 'default' ? host : { ...host, NetworkMode: network };
}

async function pass(stream: Readable | undefined, output: StageOutput, isError: boolean): Promise<void> {
  if (stream === undefined) return;
  const decoder = new TextDecoder();
  for await (const chunk of stream) await output.data(decoder.decode(chunk, { stream: true }), isError);
  const rest = decoder.decode();
  if (rest !== '') await output.data(rest, isError);
}

/** Waits for the container to end, and kills it if the build is cancelled. */
async function ended(container: Container, signal: AbortSignal): Promise<Exit> {
  const kill = () => {
    try {
      container.kill(KILL);
    } catch {
      // The container has already ended.
    }
  };
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  try {
    return await container.exited;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function failure({ code, oomKilled }: Exit, args: readonly string[]): BuildError {
  const command = `The command '${args.join(' ')}'`;
  if (code === undefined)
    return new BuildError(`${command} ended, and its exit was not recorded: its monitor was killed`);
  const why = oomKilled ? ' (it had no memory left)' : '';
  return new BuildError(`${command} returned a non-zero code: ${code}${why}`, { exitCode: code });
}
