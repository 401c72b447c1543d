// COPY and ADD: from the context, another stage, an image, the web or the Dockerfile itself, into a layer. No process
// is started: the files are written into an overlay that is mounted nowhere, inside of which every path stays.

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { CopyInstruction } from '../formats/dockerfile/instruction.ts';
import { ExpectedError } from '../formats/errors.ts';
import type { LooseLayer } from '../images/image.ts';
import { spaceFor } from '../images/layers.ts';
import { unpackArchive } from '../images/unpack-archive.ts';
import { O, S_IF } from '../linux/constants.ts';
import { archiveIn, readFile } from './archives.ts';
import { BuildError } from './errors.ts';
import { fetchFile, isUrl, refuseGit } from './fetch.ts';
import { storeLayer } from './layer.ts';
import { modeOf, ownerOf } from './owners.ts';
import { isDirectory, isFile, type Located, locate, matchingPaths } from './sources.ts';
import type { StageState } from './state.ts';
import { type Alterations, copyFiles, hashFiles, makeDirectory } from './transfer.ts';
import { openState, openWritable, type Workspace, writable } from './workspace.ts';

/** Variables are in their places. */
export interface CopyRequest {
  instruction: CopyInstruction;
  /** The stage's number: --from names those before it. */
  stage: number;
  /** Takes variables out of here-documents. */
  expand(text: string): string;
}

interface Source {
  located: Located;
  /** Its last name. */
  as: string;
  alterations: Alterations;
  isArchive: boolean;
}

export interface PreparedCopy extends Disposable {
  /** Stands for all that is copied, and where to. */
  digest: string;
  /** undefined when nothing is changed. */
  write(): Promise<LooseLayer | undefined>;
}

/** Finds and reads the files. Throws BuildError. */
export async function prepareCopy(
  workspace: Workspace,
  state: StageState,
  request: CopyRequest,
): Promise<PreparedCopy> {
  const { instruction } = request;
  const keyword = instruction.kind.toUpperCase();
  using resources = new DisposableStack();
  const view = resources.adopt(openState(workspace, state), closeSync);
  const alterations: Alterations = {
    ...(instruction.chown === undefined ? {} : { owner: ownerOf(instruction.chown, view) }),
    ...(instruction.chmod === undefined ? {} : { mode: modeOf(instruction.chmod) }),
  };
  const sources = await findAll(workspace, { ...request, alterations, resources });
  const isMany = sources.length > 1 || instruction.sources.length > 1;
  if (isMany && !instruction.target.endsWith('/')) {
    throw new BuildError(
      `When using ${keyword} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const absolute = posix.resolve(state.config.WorkingDir || '/', instruction.target);
  const target = { path: absolute.slice(1), isDirectory: instruction.target.endsWith('/') };
  const hash = createHash('sha256');
  for (const { located, as, alterations, isArchive } of sources) {
    hash.update(JSON.stringify([as, isDirectory(located), isArchive]));
    await hashFiles(located, { as, hash, ...alterations });
    workspace.signal.throwIfAborted();
  }
  const digest = hash.update(JSON.stringify(target)).digest('hex');
  const kept = resources.move();
  return {
    digest,
    write: () => write(workspace, state, { sources, target, keyword }),
    [Symbol.dispose]: () => kept.dispose(),
  };
}

type Finding = CopyRequest & { alterations: Alterations; resources: DisposableStack };

async function findAll(workspace: Workspace, finding: Finding): Promise<Source[]> {
  const { instruction, alterations, resources } = finding;
  const { kind, from } = instruction;
  const root: Alterations = { owner: { uid: 0, gid: 0 }, ...alterations };
  const found: Source[] = [];
  let documents = 0;
  for (const source of instruction.sources) {
    if (kind === 'add') refuseGit(source);
    const document = /^<<-?\S/.test(source) ? instruction.documents[documents++] : undefined;
    if (document !== undefined) {
      const directory = workspace.directory('document');
      const content = document.expands ? finding.expand(document.content) : document.content;
      const name = document.name.replaceAll('/', '_');
      writeFileSync(join(directory, name), content, { mode: 0o644 });
      found.push(...named(openHost(directory, resources), name, { ...finding, alterations: root }));
    } else if (kind === 'add' && isUrl(source)) {
      const directory = workspace.directory('fetched');
      const { checksum } = instruction;
      const { signal } = workspace;
      const limit = spaceFor(directory);
      const name = await fetchFile(source, {
        directory,
        signal,
        limit,
        ...(checksum === undefined ? {} : { checksum }),
      });
      found.push(...named(openHost(directory, resources), name, { ...finding, alterations: root }));
    } else if (from !== undefined) {
      const tree = await workspace.tree(from, finding.stage);
      const view = resources.adopt(openState(workspace, tree), closeSync);
      found.push(...named(view, source, finding));
    } else {
      const sources = named(workspace.context, source, { ...finding, alterations: root });
      for (const each of kind === 'add' ? sources : []) await markArchive(each, alterations);
      found.push(...sources);
    }
  }
  return found;
}

function openHost(directory: string, resources: DisposableStack): number {
  return resources.adopt(openSync(directory, O.RDONLY | O.DIRECTORY), closeSync);
}

function named(root: number, source: string, { instruction, resources, alterations }: Finding): Source[] {
  const keyword = instruction.kind.toUpperCase();
  const where = instruction.from ?? 'the build context (or excluded by .dockerignore)';
  const paths = matchingPaths(root, source);
  if (paths.length === 0)
    throw new BuildError(`${keyword} failed: no source files fit ${source} in ${where}`);
  return paths.map(path => {
    const located = locate(root, path);
    if (located === undefined) {
      throw new BuildError(`${keyword} failed: file not found in ${where}: ${source}: file does not exist`);
    }
    resources.use(located);
    const kind = located.status.mode & S_IF.MT;
    if (kind === S_IF.SOCK) throw new BuildError(`${keyword} failed: ${source} is a socket`);
    return { located, as: posix.basename(path), alterations, isArchive: false };
  });
}

/** ADD unpacks archives of the context; their files keep their owners unless --chown says otherwise. */
async function markArchive(source: Source, alterations: Alterations): Promise<void> {
  if (!isFile(source.located)) return;
  if (!(await archiveIn(source.located, source.as))) return;
  source.isArchive = true;
  source.alterations = alterations;
}

async function write(
  workspace: Workspace,
  state: StageState,
  options: { sources: Source[]; target: { path: string; isDirectory: boolean }; keyword: string },
): Promise<LooseLayer | undefined> {
  const { sources, keyword } = options;
  const layer = writable(workspace);
  const root = openWritable(workspace, state, layer);
  try {
    const limit = spaceFor(layer.upperdir);
    for (const source of sources) await place(root, source, { ...options.target, limit });
  } catch (cause) {
    if (!(cause instanceof ExpectedError)) throw cause;
    throw new BuildError(`${keyword} failed: ${cause.message}`, { cause });
  } finally {
    closeSync(root);
  }
  return storeLayer(workspace, layer.upperdir);
}

async function place(
  root: number,
  source: Source,
  target: { path: string; isDirectory: boolean; limit: number },
): Promise<void> {
  const { located, as, alterations, isArchive } = source;
  const { path, limit } = target;
  using there = locate(root, path === '' ? '.' : path);
  const isInto = isDirectory(located) || isArchive;
  if (there !== undefined && !isDirectory(there) && (isInto || target.isDirectory)) {
    throw new BuildError(`cannot copy to non-directory: /${path}`);
  }
  if (isInto || target.isDirectory || (there !== undefined && isDirectory(there))) {
    if (isInto && there === undefined) makeDirectory(root, path, alterations);
    if (isArchive) {
      const contents = readFile(located);
      const { owner } = alterations;
      await unpackArchive({
        rootFd: root,
        base: path,
        whiteouts: false,
        limit,
        source: contents,
        ...(owner === undefined ? {} : { owner: () => owner }),
      });
    } else await copyFiles(located, { as, root, base: path, limit, ...alterations });
    return;
  }
  if (there !== undefined) {
    // Perhaps at the end of a link: what is there is replaced there.
    await copyFiles(located, { as: there.name, root: there.directory, base: '', limit, ...alterations });
    return;
  }
  const directory = posix.dirname(path);
  const base = directory === '.' ? '' : directory;
  await copyFiles(located, { as: posix.basename(path), root, base, limit, ...alterations });
}
