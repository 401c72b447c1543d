// COPY and ADD: copies files from the context, another stage, an image, the web or the Dockerfile itself
// into a layer. No process is started: the files are written into a detached overlay, which no path can
// leave.

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { CopyInstruction } from '../formats/dockerfile/instruction.ts';
import { decodeDockerignore } from '../formats/dockerignore.ts';
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
import { isDirectory, isFile, type Located, locate, matchingPaths, placeOf } from './sources.ts';
import type { StageState } from './state.ts';
import { type Alterations, copyFiles, hashFiles, makeDirectories } from './transfer.ts';
import { openState, openWritable, type Workspace, writable } from './workspace.ts';

/** A COPY or ADD whose variables have been expanded. */
export interface CopyRequest {
  instruction: CopyInstruction;
  /** Number of the stage: --from may name only earlier stages. */
  stage: number;
  /** Replaces variables in here-documents. */
  expand(text: string): string;
}

interface Source {
  located: Located;
  /** The name that the file gets in the target directory. */
  as: string;
  /** For COPY --parents: the directories of its path, which are created in the target. */
  parents: string;
  alterations: Alterations;
  isArchive: boolean;
}

export interface PreparedCopy extends Disposable {
  /** Digest of everything that is copied and of its destination. */
  digest: string;
  /** Writes the files; undefined when nothing changes. */
  write(): Promise<LooseLayer | undefined>;
}

/** Finds and reads the files. @throws BuildError when one is missing or cannot be copied */
export async function prepareCopy(
  workspace: Workspace,
  state: StageState,
  request: CopyRequest,
): Promise<PreparedCopy> {
  const { instruction } = request;
  const keyword = instruction.kind.toUpperCase();
  using resources = new DisposableStack();
  const view = resources.adopt(openState(workspace, state), closeSync);
  const excluded = decodeDockerignore(instruction.exclude.join('\n'));
  const alterations: Alterations = {
    ...(instruction.chown === undefined ? {} : { owner: ownerOf(instruction.chown, view) }),
    ...(instruction.chmod === undefined ? {} : { mode: modeOf(instruction.chmod) }),
    ...(instruction.exclude.length === 0 ? {} : { skip: excluded.ignores }),
  };
  const found = await findAll(workspace, { ...request, alterations, resources });
  if (found.length === 0) throw new BuildError(`${keyword} failed: no source files were specified`);
  const isIntoDirectory = /(?:\/|^\.)$/.test(instruction.target) || instruction.parents;
  const sources = found.filter(each => isDirectory(each.located) || !alterations.skip?.(each.as));
  if (found.length > 1 && !isIntoDirectory) {
    throw new BuildError(
      `When using ${keyword} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const absolute = posix.resolve(state.config.WorkingDir || '/', instruction.target);
  const target = { path: absolute.slice(1), isDirectory: isIntoDirectory };
  const hash = createHash('sha256');
  for (const { located, as, parents, alterations, isArchive } of sources) {
    hash.update(JSON.stringify([as, parents, isDirectory(located), isArchive]));
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
  const { kind, from, checksum, unpack } = instruction;
  if (checksum !== undefined) checkChecksum(instruction);
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
      const { signal } = workspace;
      const limit = spaceFor(directory);
      const name = await fetchFile(source, {
        directory,
        signal,
        limit,
        ...(checksum === undefined ? {} : { checksum }),
      });
      const fetched = named(openHost(directory, resources), name, { ...finding, alterations: root });
      for (const each of unpack === true ? fetched : []) await markArchive(each, alterations);
      found.push(...fetched);
    } else if (from !== undefined) {
      const tree = await workspace.tree(from, finding.stage);
      const view = resources.adopt(openState(workspace, tree), closeSync);
      found.push(...named(view, source, finding));
    } else {
      const sources = named(workspace.context, source, { ...finding, alterations: root });
      for (const each of kind === 'add' && unpack !== false ? sources : [])
        await markArchive(each, alterations);
      found.push(...sources);
    }
  }
  return found;
}

function openHost(directory: string, resources: DisposableStack): number {
  return resources.adopt(openSync(directory, O.RDONLY | O.DIRECTORY), closeSync);
}

function named(root: number, source: string, { instruction, resources, alterations }: Finding): Source[] {
  const failed = `${instruction.kind.toUpperCase()} failed: `;
  const where =
    instruction.from === undefined ? 'file not found in build context or excluded by .dockerignore: ' : '';
  return matchingPaths(root, source).map(path => {
    const located = locate(root, path);
    if (located === undefined) throw new BuildError(`${failed}${where}stat ${path}: file does not exist`);
    resources.use(located);
    const kind = located.status.mode & S_IF.MT;
    if (kind === S_IF.SOCK) throw new BuildError(`${failed}${source} is a socket`);
    const parents = instruction.parents ? parentsOf(path, { source, isWhole: isDirectory(located) }) : '';
    return { located, as: posix.basename(path), parents, alterations, isArchive: false };
  });
}

/** The part of a path that COPY --parents keeps: all of it, or the part after '/./' in the source. */
function parentsOf(path: string, { source, isWhole }: { source: string; isWhole: boolean }): string {
  const pivot = Math.max(0, source.indexOf('/./'));
  const before = posix.join('/', source.slice(0, pivot)).split('/').filter(Boolean);
  const parts = path.split('/').slice(before.length);
  return (isWhole ? parts : parts.slice(0, -1)).join('/');
}

function checkChecksum({ sources: [first = '', ...others] }: CopyInstruction): void {
  if (others.length > 0) throw new BuildError("checksum can't be specified for multiple sources");
  if (!isUrl(first)) throw new BuildError("checksum can't be specified for non-HTTP(S) sources");
}

/** ADD unpacks archives from the context; their files keep their owners unless --chown sets another. */
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
  const { limit } = target;
  const path = placeOf(root, posix.join(target.path, source.parents));
  using there = locate(root, path);
  const isInto = isDirectory(located) || isArchive;
  if (there !== undefined && !isDirectory(there) && (isInto || target.isDirectory)) {
    throw new BuildError(`cannot copy to non-directory: /${path}`);
  }
  if (isInto || target.isDirectory || (there !== undefined && isDirectory(there))) {
    // Directories created above a copied directory belong to root; above a copied file, to the file's owner.
    if (isInto && there === undefined) makeDirectories(root, posix.dirname(path));
    const { owner } = alterations;
    if (there === undefined) makeDirectories(root, path, isInto ? alterations : { owner });
    if (isArchive) {
      const contents = readFile(located);
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
    // The target may be a link: the file that the link points to is replaced.
    await copyFiles(located, { as: there.name, root: there.directory, base: '', limit, ...alterations });
    return;
  }
  const directory = posix.dirname(path);
  const base = directory === '.' ? '' : directory;
  makeDirectories(root, base, { owner: alterations.owner });
  await copyFiles(located, { as: posix.basename(path), root, base, limit, ...alterations });
}
