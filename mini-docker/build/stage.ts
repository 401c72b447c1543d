// Builds one stage: takes each instruction's result from the cache, or executes it.

import { closeSync } from 'node:fs';
import { parseInstructions } from '../formats/dockerfile/dockerfile.ts';
import type { Instruction, InstructionOf } from '../formats/dockerfile/instruction.ts';
import { expand, expandDocument } from '../formats/dockerfile/words.ts';
import { shortId } from '../formats/short-id.ts';
import type { LooseLayer } from '../images/image.ts';
import { baseState, withPath } from './base.ts';
import { type CachedStep, keyOf } from './cache.ts';
import { haveSameFiles, stepFrom } from './cache-from.ts';
import { configure, runWords } from './configure.ts';
import { prepareCopy } from './copy.ts';
import { BuildError } from './errors.ts';
import { storeLayer } from './layer.ts';
import type { StageOutput } from './output.ts';
import { at } from './place.ts';
import type { PlannedStage } from './plan.ts';
import { keepContainer, runStep } from './run.ts';
import { isDirectory, locate, refuseLong } from './sources.ts';
import { imageIdOf, type StageState } from './state.ts';
import { makeDirectories } from './transfer.ts';
import { assignment, type BuildVariables, counted } from './variables.ts';
import { openState, openWritable, type Workspace, writable } from './workspace.ts';

export interface StageRequest {
  planned: PlannedStage;
  variables: BuildVariables;
  /** The escape character, and the Dockerfile's name for errors. */
  sign: string;
  file: string;
  output: StageOutput;
  /** The stage that FROM names; undefined when it names an image. */
  from: Promise<StageState> | undefined;
}

/** @throws BuildError or DockerfileError, and the errors of the layers below */
export async function buildStage(workspace: Workspace, request: StageRequest): Promise<StageState> {
  const { planned, output } = request;
  const { stage } = planned;
  try {
    let number = planned.firstStep;
    await output.step(number, stage.from.text);
    const builder = new StageBuilder(workspace, request, withPath(await begin(workspace, request)));
    await output.done(shortId(imageIdOf(builder.state)));
    await builder.runTriggers();
    for (const instruction of stage.instructions) {
      workspace.signal.throwIfAborted();
      number += 1;
      await output.step(number, instruction.text);
      await builder.take(instruction);
      await output.done(shortId(imageIdOf(builder.state)));
    }
    await output.end();
    return builder.state;
  } catch (error) {
    if (!workspace.signal.aborted) await output.failed();
    throw error;
  }
}

function begin(workspace: Workspace, { planned, variables, sign, file, output, from }: StageRequest) {
  const { stage, base } = planned;
  if (from !== undefined || typeof base === 'number') return from!;
  return at(stage.from, file, () => {
    const { platform } = stage.from;
    const asked = platform === undefined ? {} : { platform: variables.expandGlobal(platform, sign) };
    return baseState(workspace, { image: base.image, output, ...asked });
  });
}

/** The result of a step. */
interface Done {
  state: Partial<StageState>;
  layer?: LooseLayer | undefined;
  /** The step as the history words it. */
  did: string;
}

class StageBuilder {
  state: StageState;
  readonly #workspace: Workspace;
  readonly #request: StageRequest;
  /** Values of the ARG instructions so far. */
  readonly #arguments = new Map<string, string | undefined>();
  readonly #argumentsSize = { characters: 0 };

  constructor(workspace: Workspace, request: StageRequest, state: StageState) {
    this.#workspace = workspace;
    this.#request = request;
    this.state = { ...state, ownCommand: false };
  }

  /** Executes the base image's ONBUILD instructions. */
  async runTriggers(): Promise<void> {
    const triggers = this.state.config.OnBuild ?? [];
    if (triggers.length === 0) return;
    const { output, sign } = this.#request;
    const { OnBuild: _, ...config } = this.state.config;
    this.state = { ...this.state, config };
    await output.note(`# Executing ${triggers.length} build trigger${triggers.length === 1 ? '' : 's'}`);
    for (const trigger of triggers) {
      for (const instruction of parseInstructions(trigger, 'ONBUILD', sign)) {
        await this.take(instruction);
        await output.note(` ---> ${shortId(imageIdOf(this.state))}`);
      }
    }
  }

  take(instruction: Instruction): Promise<void> {
    return at(instruction, this.#request.file, () => this.#take(instruction));
  }

  async #take(instruction: Instruction): Promise<void> {
    switch (instruction.kind) {
      case 'arg':
        return this.#argument(instruction);
      case 'maintainer': {
        const author = instruction.value;
        return this.#plain(instruction, { state: { author }, did: `MAINTAINER ${author}` });
      }
      case 'run':
        return this.#run(instruction);
      case 'copy':
      case 'add':
        return this.#copy(instruction);
      case 'workdir':
        return this.#workdir(instruction);
      case 'volume':
        return this.#volume(instruction);
      case 'healthcheck': {
        const { Test = [] } = this.state.config.Healthcheck ?? {};
        if (Test.length > 0 && Test[0] !== 'NONE')
          await this.#request.output.note(`Note: overriding previous HEALTHCHECK: [${Test.join(' ')}]`);
        return this.#plain(instruction, this.#configured(instruction));
      }
      case 'from':
        throw new BuildError('FROM cannot stand here');
      case 'refused':
        throw instruction.error;
      default:
        return this.#plain(instruction, this.#configured(instruction));
    }
  }

  #lookup(name: string): string | undefined {
    const own = (this.state.config.Env ?? []).find(each => assignment(each)[0] === name);
    return own === undefined ? this.#arguments.get(name) : assignment(own)[1];
  }

  get #expansion() {
    return { escape: this.#request.sign, lookup: (name: string) => this.#lookup(name) };
  }

  #expand(text: string): string {
    return expand(text, this.#expansion);
  }

  #configured(instruction: Instruction): Done {
    const { config, ownCommand } = this.state;
    const { config: next, did } = configure(instruction, { config, ownCommand, expansion: this.#expansion })!;
    return { state: { config: next, ownCommand: ownCommand || instruction.kind === 'cmd' }, did };
  }

  /** The value is not part of this step's key: it counts in the keys of the steps that use it. */
  async #argument(instruction: InstructionOf<'arg'>): Promise<void> {
    const { variables, sign } = this.#request;
    const lookup = (name: string) => this.#lookup(name);
    for (const [name, initial] of instruction.pairs) {
      const value = variables.value(name, initial, { sign, lookup });
      this.#arguments.set(name, counted(value, this.#argumentsSize));
    }
    return this.#plain(instruction, { state: {}, did: instruction.text });
  }

  /** Handles an instruction that changes no files. */
  async #plain(instruction: Instruction, done: Done): Promise<void> {
    return this.#cached(instruction, { key: [done.did], did: done.did, work: async () => done });
  }

  async #run(instruction: InstructionOf<'run'>): Promise<void> {
    const { output, planned, variables } = this.#request;
    const config = this.state.config.Env ?? [];
    const own = new Set(config.map(each => assignment(each)[0]));
    const values = [...this.#arguments].flatMap(([name, value]) =>
      value === undefined || own.has(name) ? [] : [`${name}=${value}`],
    );
    const proxies = variables
      .proxies()
      .filter(([name]) => !own.has(name) && !this.#arguments.has(name))
      .map(([name, value]) => `${name}=${value}`);
    const mounts = instruction.mounts.map(each => this.#expand(each));
    const words = runWords(instruction.command, this.state.config);
    const documents = instruction.documents.map(each => each.content);
    const network = instruction.network ?? '';
    // As the classic builder does: the number of ARG values, then the values, before the command.
    const given = values.length === 0 ? [] : [`|${values.length}`, ...values.toSorted()];
    const did = ['RUN', ...given, ...words].join(' ');
    return this.#cached(instruction, {
      key: [did, words, documents, mounts, network, await this.#mountedTrees(mounts)],
      did,
      isTold: documents.length === 0 && mounts.length === 0 && network === '',
      work: async () => ({
        state: {},
        did,
        layer: await runStep(this.#workspace, this.state, {
          command: instruction,
          mounts,
          env: [...config, ...values, ...proxies],
          stage: planned.stage.index,
          output,
        }),
      }),
    });
  }

  /** Keys of the trees that a command mounts: the command's result depends on them. */
  async #mountedTrees(mounts: readonly string[]): Promise<string[]> {
    const keys: string[] = [];
    for (const mount of mounts) {
      const from = /(?:^|,)from=([^,]+)/.exec(mount)?.[1];
      if (from !== undefined)
        keys.push((await this.#workspace.tree(from, this.#request.planned.stage.index)).key);
      else if (!/(?:^|,)type=(?!bind)/.test(mount)) keys.push(await this.#workspace.contextDigest());
    }
    return keys;
  }

  async #copy(instruction: InstructionOf<'copy' | 'add'>): Promise<void> {
    const optional = (name: 'chown' | 'chmod' | 'checksum') => {
      const value = instruction[name];
      return value === undefined ? {} : { [name]: this.#expand(value) };
    };
    const { variables } = this.#request;
    // --from may also use the platform's variables and the ARGs before the first FROM.
    const lookup = (name: string) => this.#lookup(name) ?? variables.global(name);
    const from =
      instruction.from === undefined
        ? {}
        : { from: expand(instruction.from, { ...this.#expansion, lookup }) };
    const expanded = {
      ...instruction,
      sources: instruction.sources.map(each => (each.startsWith('<<') ? each : this.#expand(each))),
      target: this.#expand(instruction.target),
      exclude: instruction.exclude.map(each => this.#expand(each)),
      ...from,
      ...optional('chown'),
      ...optional('chmod'),
      ...optional('checksum'),
    };
    using prepared = await prepareCopy(this.#workspace, this.state, {
      instruction: expanded,
      stage: this.#request.planned.stage.index,
      expand: text => expandDocument(text, this.#expansion),
    });
    const flags = [
      ...(['from', 'chown', 'chmod'] as const).flatMap(name =>
        expanded[name] === undefined ? [] : [`--${name}=${expanded[name]}`],
      ),
      ...(expanded.parents ? ['--parents'] : []),
      ...expanded.exclude.map(each => `--exclude=${each}`),
    ];
    const did = [instruction.kind.toUpperCase(), ...flags, ...expanded.sources, expanded.target].join(' ');
    await this.#cached(instruction, {
      key: [instruction.kind, prepared.digest],
      work: async () => ({ state: {}, did, layer: await prepared.write() }),
      did,
    });
  }

  /** Creates the directory if it does not exist. */
  async #workdir(instruction: Instruction): Promise<void> {
    const done = this.#configured(instruction);
    return this.#cached(instruction, {
      key: [done.did],
      did: done.did,
      work: async () => ({ ...done, layer: await this.#makeDirectory(done.state.config!.WorkingDir!) }),
      state: done.state,
    });
  }

  async #volume(instruction: Instruction): Promise<void> {
    const done = this.#configured(instruction);
    const view = openState(this.#workspace, this.state);
    try {
      for (const path of Object.keys(done.state.config?.Volumes ?? {})) {
        using there = locate(view, path);
        if (there === undefined || isDirectory(there)) continue;
        throw new BuildError(`cannot mount volume over existing file, file exists ${path}`);
      }
    } finally {
      closeSync(view);
    }
    return this.#plain(instruction, done);
  }

  async #makeDirectory(path: string): Promise<LooseLayer | undefined> {
    refuseLong(path);
    const view = openState(this.#workspace, this.state);
    try {
      using there = locate(view, path);
      if (there !== undefined && isDirectory(there)) return undefined;
    } finally {
      closeSync(view);
    }
    const layer = writable(this.#workspace);
    const root = openWritable(this.#workspace, this.state, layer);
    try {
      makeDirectories(root, path);
    } finally {
      closeSync(root);
    }
    return storeLayer(this.#workspace, layer.upperdir);
  }

  async #cached(
    instruction: Instruction,
    step: {
      key: (string | readonly string[])[] | (string | readonly (string | readonly string[])[])[];
      work: () => Promise<Done>;
      /** Changes to the state when the layer comes from the cache. */
      state?: Partial<StageState>;
      did: string;
      /** Whether `did` tells all that the step's result depends on, but for copied files. */
      isTold?: boolean;
    },
  ): Promise<void> {
    const { host, hold, request, epoch } = this.#workspace;
    const key = keyOf(this.state.key, instruction.kind, JSON.stringify(step.key), String(epoch ?? ''));
    // As in Docker, the images of --cache-from are then the only ones that steps are taken from.
    const isElsewhere = request.cacheFrom.length > 0 && step.isTold !== false;
    const known = request.noCache || isElsewhere ? undefined : host.cache.find(key);
    const { found, made } = known === undefined ? await this.#offered(instruction, step) : { found: known };
    if (found !== undefined) {
      if (found.layer !== undefined) hold(found.layer.diffId);
      await this.#request.output.cached();
    }
    const isFiles = ['run', 'copy', 'add', 'workdir'].includes(instruction.kind);
    const done: Done =
      found !== undefined && isFiles
        ? { state: step.state ?? {}, did: found.did, layer: found.layer }
        : (made ?? (await step.work()));
    // RUN keeps its own.
    if (found === undefined && request.keepContainers && instruction.kind !== 'run') {
      const id = host.newId();
      await this.#request.output.note(` ---> Running in ${id.slice(0, 12)}`);
      const args = ['/bin/sh', '-c', `#(nop) ${done.did}`];
      await keepContainer(this.#workspace, this.state, { id, args });
    }
    const created = epoch === undefined ? (found?.created ?? new Date().toISOString()) : epochTime(epoch);
    if (known === undefined) {
      const { layer, did } = done;
      host.cache.add(key, { created, did, ...(layer === undefined ? {} : { layer }) });
    }
    this.#finish(done, { key, created });
  }

  /**
   * The step as an image of --cache-from has it. What is copied must be the same: it is copied to compare it,
   * and is the step's result (`made`) where it differs.
   */
  async #offered(
    instruction: Instruction,
    { did, isTold = true, work }: { did: string; isTold?: boolean; work: () => Promise<Done> },
  ): Promise<{ found?: CachedStep | undefined; made?: Done }> {
    const { host, hold, request, cacheSources } = this.#workspace;
    const sources = request.noCache || !isTold ? [] : await cacheSources;
    const found = await stepFrom(sources, { images: host.images, state: this.state, did, hold });
    if (found === undefined || !['copy', 'add'].includes(instruction.kind)) return { found };
    const made = await work();
    return (await haveSameFiles(host.images, made.layer, found.layer)) ? { found } : { made };
  }

  #finish(done: Done, { key, created }: { key: string; created: string }): void {
    const { layers, history, author } = this.state;
    const { layer, did } = done;
    const by = done.state.author ?? author;
    this.state = {
      ...this.state,
      ...done.state,
      layers: layer === undefined ? layers : [...layers, layer],
      history: [
        ...history,
        {
          created,
          ...(by ? { author: by } : {}),
          created_by: did,
          ...(layer === undefined ? { empty_layer: true } : {}),
        },
      ],
      created,
      key,
    };
  }
}

const epochTime = (nanoseconds: bigint): string => new Date(Number(nanoseconds / 1_000_000n)).toISOString();
