// Builds an image from a Dockerfile: each instruction makes a new image from the one before, or finds it in the cache.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Mistake } from '../04-mounts/mistake.ts';
import { layersOf, removeLayers } from '../08-layers/layers.ts';
import { addLayer, emptyImage, writeImage } from '../09-images/images.ts';
import { type Descriptor, digestOf, findImage, type Image, readImage, tagImage } from '../09-images/store.ts';
import { runContainer } from '../12-stay/container.ts';
import { parseSpec } from '../12-stay/spec.ts';
import { packLayer } from '../13-commit/commit.ts';
import { contentOf, emptyDirectory, type Kind, putInto, takeFromContext, takeFromImage } from './copy.ts';
import {
  commandIn,
  type Instruction,
  mistakeIn,
  parseDockerfile,
  type Stage,
  substitute,
  variablesIn,
} from './dockerfile.ts';

/** The state in which an instruction is executed. */
interface Situation {
  context: string;
  /** The result of the instructions so far. */
  image: Image;
  /** Finished stages, by name and by number. */
  stages: Map<string, Image>;
}

/** An instruction that has been prepared, but not executed. */
interface Work {
  /** Input that the result depends on, besides the image before and the instruction's text. */
  input: Buffer | string;
  make(): Image | Promise<Image>;
}

/** @param context a directory that contains a Dockerfile. @returns the image's manifest. @throws Mistake */
export async function build(context: string, name: string): Promise<Descriptor> {
  const file = join(context, 'Dockerfile');
  if (!existsSync(file)) throw new Mistake(`there is no ${file}`);
  try {
    const manifest = writeImage(await buildStages(parseDockerfile(readFileSync(file, 'utf8')), context));
    tagImage(name, manifest);
    console.log(`Successfully tagged ${name}`);
    return manifest;
  } finally {
    rmSync(TEMPORARY, { recursive: true, force: true });
  }
}

/** @returns the last stage's image */
async function buildStages(all: readonly Stage[], context: string): Promise<Image> {
  const stages = new Map<string, Image>();
  const count = all.reduce((sum, { instructions }) => sum + 1 + instructions.length, 0);
  let [step, image] = [0, emptyImage()];
  for (const [number, { base, name, instructions }] of all.entries()) {
    console.log(`Step ${++step}/${count} : FROM ${base}`);
    image = stages.get(base) ?? (base === 'scratch' ? emptyImage() : findImage(base));
    let key = image.manifest.config.digest;
    for (const instruction of instructions) {
      console.log(`Step ${++step}/${count} : ${instruction.name} ${instruction.text}`);
      const { input, make } = await workOf(instruction, { context, image, stages });
      key = keyOf(key, instruction.name, instruction.text, input);
      const known = recall(key);
      if (known !== undefined) console.log(' ---> Using cache');
      const manifest = known ?? writeImage(await make());
      remember(key, manifest);
      image = readImage(manifest);
      console.log(` ---> ${image.manifest.config.digest.slice('sha256:'.length).slice(0, 12)}`);
    }
    stages.set(name, image).set(`${number}`, image);
  }
  return image;
}

const CACHE = '/tmp/box/cache';
/** Directory for files on their way from the context or another stage. */
const TEMPORARY = `/tmp/box/build-${process.pid}`;

/** The cache key of a step; two steps with the same key have the same result. */
function keyOf(...parts: (Buffer | string)[]): string {
  // Each part has its length before it; otherwise 'ab' and 'c' would equal 'a' and 'bc'.
  return digestOf(
    Buffer.concat(parts.flatMap(part => [Buffer.from(`${Buffer.byteLength(part)}:`), Buffer.from(part)])),
  );
}

function recall(key: string): Descriptor | undefined {
  const file = `${CACHE}/${key}`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Descriptor) : undefined;
}

function remember(key: string, manifest: Descriptor): void {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${CACHE}/${key}.new`, JSON.stringify(manifest));
  renameSync(`${CACHE}/${key}.new`, `${CACHE}/${key}`);
}

function workOf(instruction: Instruction, situation: Situation): Work | Promise<Work> {
  const { image } = situation;
  const { Env = [], WorkingDir = '/' } = image.config.config;
  const text = substitute(instruction.text, Env);
  switch (instruction.name) {
    case 'RUN':
      // The shell in the box substitutes variables.
      return { input: '', make: () => runStep(instruction, image) };
    case 'COPY':
      return copyStep(instruction, text, situation);
    case 'ENV': {
      const added = variablesIn(text);
      const names = added.map(line => line.split('=')[0]!);
      const kept = Env.filter(line => !names.includes(line.split('=')[0]!));
      return configured(instruction, image, { Env: [...kept, ...added] });
    }
    case 'WORKDIR':
      return configured(instruction, image, { WorkingDir: resolve(WorkingDir, text) });
    default:
      return configured(instruction, image, { Cmd: commandIn(instruction.text) });
  }
}

/** Makes an image with the same files and another configuration. */
function configured(
  { name, text }: Instruction,
  { manifest, config }: Image,
  changed: Image['config']['config'],
): Work {
  const history = [...config.history, { created_by: `${name} ${text}`, empty_layer: true }];
  const image = { manifest, config: { ...config, config: { ...config.config, ...changed }, history } };
  return { input: '', make: () => image };
}

/** Runs a command in a box and commits the changes. */
async function runStep(instruction: Instruction, image: Image): Promise<Image> {
  return inScratchBox(async box => {
    const { spec } = parseSpec(['--name', box, 'image', ...commandIn(instruction.text)]);
    const exitCode = await runContainer(spec, image);
    if (exitCode !== 0) throw mistakeIn(instruction, `it ended with ${exitCode}`);
    return withChanges(instruction, image, box);
  });
}

async function copyStep(instruction: Instruction, text: string, situation: Situation): Promise<Work> {
  const { context, image, stages } = situation;
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()!.slice('--from='.length) : undefined;
  const target = words.pop();
  if (target === undefined || words.length === 0)
    throw mistakeIn(instruction, 'the form is COPY SOURCE… TARGET');
  const path = resolve(image.config.config.WorkingDir ?? '/', target);
  const other = from === undefined ? undefined : (stages.get(from) ?? findImage(from));
  const files = emptyDirectory(`${TEMPORARY}/files`);
  const kinds: Kind[] = [];
  try {
    for (const source of words) {
      if (other === undefined) kinds.push(takeFromContext(context, source, files));
      else kinds.push(await inScratchBox(box => takeFromImage(other, source, files, box)));
    }
  } catch (error) {
    throw error instanceof Mistake ? mistakeIn(instruction, error.message) : error;
  }
  const isNewName = words.length === 1 && kinds[0] === 'file' && !target.endsWith('/');
  if (isNewName) renameSync(join(files, basename(words[0]!)), join(files, basename(path)));
  const directory = isNewName ? dirname(path) : path;
  const make = (): Promise<Image> =>
    inScratchBox(async box => {
      await putInto(image, files, directory, box);
      return withChanges(instruction, image, box);
    });
  return { input: contentOf(files), make };
}

function withChanges({ name, text }: Instruction, image: Image, box: string): Image {
  return addLayer(image, packLayer(layersOf(box, []).upper), `${name} ${text}`);
}

/** Provides a box for one step, and removes it afterwards. */
async function inScratchBox<T>(work: (name: string) => Promise<T>): Promise<T> {
  const name = `build-${process.pid}`;
  try {
    return await work(name);
  } finally {
    removeLayers(name);
  }
}
