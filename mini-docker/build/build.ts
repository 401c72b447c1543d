// Builds an image from the context that a client sends, and gives it the requested names.

import { closeSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Dockerfile } from '../formats/dockerfile/dockerfile.ts';
import { decodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { shortId } from '../formats/short-id.ts';
import type { Image } from '../images/image.ts';
import { decodePlatformText, hostPlatform } from '../images/platform.ts';
import { removeTree } from '../linux/remove-tree.ts';
import { baseState } from './base.ts';
import { cacheSources } from './cache-from.ts';
import { hashContext, readDockerfile, removeIgnored, unpackContext } from './context.ts';
import { BuildError } from './errors.ts';
import { baseCalled, directoryState, type NamedContexts, namedContexts } from './named-contexts.ts';
import { BuildOutput } from './output.ts';
import { atOnce } from './place.ts';
import { type Plan, planBuild, stageCalled } from './plan.ts';
import type { BuildRequest } from './request.ts';
import { imageOf } from './result.ts';
import { buildStage } from './stage.ts';
import type { StageState } from './state.ts';
import { BuildVariables } from './variables.ts';
import type { BuildHost, Workspace } from './workspace.ts';

/**
 * Leaves no container behind, and no image when it fails; finished steps stay in the cache.
 * @throws BuildError, DockerfileError, ImageError, RegistryError or FormatError; before the first message
 * when the request itself is wrong
 */
export async function buildImage(host: BuildHost, request: BuildRequest): Promise<Image> {
  for (const tag of request.tags) withTag(decodeReference(tag));
  await using resources = new AsyncDisposableStack();
  const [directory, runDirectory] = [host.directory, host.runDirectory].map(parent => {
    const made = mkdtempSync(join(parent, 'build-'));
    resources.defer(() => removeTree(made));
    return made;
  }) as [string, string];
  const contextPath = join(directory, 'context');
  mkdirSync(contextPath);
  const context = resources.adopt(await unpackContext(request.context, contextPath), closeSync);
  const named = namedContexts(request.contexts, { contextPath, directory });
  const dockerfile = readDockerfile(context, request.dockerfile);
  removeIgnored(context, request.dockerfile);
  addLabels(dockerfile, request);
  const variables = variablesOf(dockerfile, request);
  const { directives, file } = dockerfile;
  const plan = planBuild(dockerfile, {
    target: request.target,
    baseOf: ({ from }) =>
      atOnce(from, file, () => baseCalled(variables.expandGlobal(from.image, directives.escape), named)),
  });
  const output = new BuildOutput(request, {
    stages: plan.stages.map(each => each.stage.index),
    total: plan.total,
  });
  // The directories must stay until the build is done.
  return await host.images.loose.holding(async hold => {
    const failed = new AbortController();
    const parts = { host, request, output, context, contextPath, named, hold, directory, runDirectory };
    const signal = AbortSignal.any([request.signal, failed.signal]);
    try {
      const state = await buildStages({ ...parts, signal }, { dockerfile, plan, variables, failed });
      return await finish({ host, request, output }, state);
    } catch (error) {
      await output.reveal();
      throw error;
    }
  });
}

/** --label acts as one more instruction at the end of the target stage. */
function addLabels(dockerfile: Dockerfile, { labels, target }: BuildRequest): void {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return;
  const { stages, directives } = dockerfile;
  const index = target === undefined ? stages.length - 1 : stageCalled(stages, target, stages.length);
  const { escape: sign } = directives;
  const quoted = (text: string) =>
    `"${[...text].map(each => (`"$${sign}`.includes(each) ? sign + each : each)).join('')}"`;
  const text = `LABEL ${pairs.map(([name, value]) => `${quoted(name)}=${quoted(value)}`).join(' ')}`;
  stages[index ?? -1]?.instructions.push({
    kind: 'label',
    pairs: pairs.map(([name, value]): [string, string] => [quoted(name), quoted(value)]),
    line: 0,
    text,
    firstLine: text,
  });
}

/** The variables of a build; each ARG before the first FROM has its value. @throws DockerfileError */
function variablesOf({ globals, directives, file }: Dockerfile, request: BuildRequest): BuildVariables {
  const platforms = {
    build: hostPlatform(),
    target: request.platform === undefined ? hostPlatform() : decodePlatformText(request.platform),
  };
  const variables = new BuildVariables(request.buildArgs, platforms);
  for (const each of globals) atOnce(each, file, () => variables.declareGlobal(each, directives.escape));
  return variables;
}

type Parts = Pick<
  Workspace,
  'host' | 'request' | 'output' | 'context' | 'contextPath' | 'hold' | 'signal'
> & {
  named: NamedContexts;
  directory: string;
  runDirectory: string;
};

async function buildStages(
  parts: Parts,
  {
    dockerfile,
    plan,
    variables,
    failed,
  }: { dockerfile: Dockerfile; plan: Plan; variables: BuildVariables; failed: AbortController },
): Promise<StageState> {
  const { output } = parts;
  const { directives, file, stages } = dockerfile;
  if (dockerfile.warnings.length > 0)
    await output.say({ stream: `\x1b[91m${dockerfile.warnings.join('\n')}\n\x1b[0m` });
  for (const [index, { text }] of dockerfile.globals.entries()) {
    await output.say({ stream: `Step ${index + 1}/${plan.total} : ${text}\n` });
  }
  const states = new Map<number, Promise<StageState>>();
  const workspace = workspaceOf(parts, { stages, states });
  for (const planned of plan.stages) {
    const { index } = planned.stage;
    const stageRequest = {
      planned,
      variables,
      sign: directives.escape,
      file,
      output: output.stage(index),
      from: typeof planned.base === 'number' ? states.get(planned.base) : undefined,
    };
    const state = buildStage(workspace, stageRequest);
    states.set(index, state);
    // After one failure the other stages are not needed.
    state.catch(error => failed.abort(error));
  }
  await Promise.allSettled(states.values());
  // The first failure, rather than the aborts that it caused.
  if (failed.signal.aborted) throw failed.signal.reason;
  const unused = variables.unused();
  if (unused.length > 0) {
    const warning = `One or more build-args [${unused.join(' ')}] were not consumed`;
    await output.say({ stream: `[Warning] ${warning}\n` });
  }
  return states.get(plan.target)!;
}

function workspaceOf(
  parts: Parts,
  { stages, states }: { stages: Dockerfile['stages']; states: Map<number, Promise<StageState>> },
): Workspace {
  const images = new Map<string, Promise<StageState>>();
  let digest: Promise<string> | undefined;
  const sources = cacheSources(parts.host.images, parts.request.cacheFrom);
  // The step that needs them reports a failure; without one, nobody does.
  sources.catch(() => {});
  const workspace: Workspace = {
    ...parts,
    cacheSources: sources,
    epoch: epochOf(parts.request.buildArgs.SOURCE_DATE_EPOCH),
    directory: name => fresh(parts.directory, name),
    runDirectory: name => fresh(parts.runDirectory, name),
    contextDigest: () => {
      digest ??= hashContext(parts.context);
      return digest;
    },
    tree(name, before) {
      const context = parts.named.get(name);
      const index = context === undefined ? stageCalled(stages, name, before) : undefined;
      const stage = index === undefined ? undefined : states.get(index);
      if (stage !== undefined) return stage;
      let image = images.get(name);
      if (image === undefined) {
        image =
          context?.directory === undefined
            ? imageNamed(workspace, context?.image ?? name, before)
            : directoryState(context.directory);
        images.set(name, image);
      }
      return image;
    },
  };
  return workspace;
}

/** An image that is used like a stage. @throws BuildError for the number of a stage that is not built before */
async function imageNamed(workspace: Workspace, name: string, before: number): Promise<StageState> {
  const invalid = (reason: string, cause?: unknown) =>
    new BuildError(`invalid from flag value ${name}: ${reason}`, { cause });
  if (/^\d{1,4}$/.test(name)) {
    throw invalid(Number(name) === before ? 'refers to current build stage' : 'index out of bounds');
  }
  try {
    return await baseState(workspace, { image: name, output: undefined });
  } catch (cause) {
    throw invalid((cause as Error).message, cause);
  }
}

function fresh(parent: string, name: string): string {
  const directory = mkdtempSync(join(parent, `${name}-`));
  return directory;
}

/**
 * SOURCE_DATE_EPOCH, seconds since 1970, as nanoseconds
 * (https://reproducible-builds.org/specs/source-date-epoch/).
 */
function epochOf(text: string | null | undefined): bigint | undefined {
  if (text === undefined || text === null || text === '') return undefined;
  if (!/^\d{1,12}$/.test(text))
    throw new BuildError(`SOURCE_DATE_EPOCH must be seconds since 1970, not ${text}`);
  return BigInt(text) * 1_000_000_000n;
}

async function finish(
  { host, request, output }: Pick<Workspace, 'host' | 'request' | 'output'>,
  state: StageState,
): Promise<Image> {
  const image = await imageOf(host.images, { state, tags: request.tags });
  await output.say({ aux: { ID: image.id } });
  if (request.quiet) await output.result({ stream: `${image.id}\n` });
  await output.say({ stream: `Successfully built ${shortId(image.id)}\n` });
  for (const tag of request.tags) {
    await output.say({ stream: `Successfully tagged ${familiarReference(withTag(decodeReference(tag)))}\n` });
  }
  return image;
}
