// Packs the context of a build as the tar that POST /build takes: a directory without the files that
// .dockerignore names, or standard input. What is loaded slowly is loaded on demand: it would take as long as
// a fully cached build.

import { readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fsPath } from '../../formats/byte-names.ts';
import type { IgnoreList } from '../../formats/dockerignore.ts';
import { FormatError } from '../../formats/errors.ts';
import { BLOCK } from '../../formats/tar/entry.ts';
import { decodeHeader } from '../../formats/tar/header.ts';
import { collected } from '../daemon/http-connection.ts';
import { CommandError, fileReason } from '../errors.ts';
import { type PackedTree, packTrees } from './pack-trees.ts';

export interface BuildContext {
  /** Path of the Dockerfile in the context. */
  dockerfile: string;
  body: AsyncIterable<Uint8Array>;
}

export interface ContextOptions {
  /** The source: PATH or '-'. */
  source: string;
  /** The Dockerfile given by -f: a path or '-'. */
  file: string | undefined;
  /** A function, since creating process.stdin takes 3 ms. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Directories of further contexts, by the path that each gets in the archive. */
  further?: ReadonlyMap<string, string>;
}

const cannot = (why: string, cause?: unknown): CommandError =>
  new CommandError(`unable to prepare context: ${why}`, { cause });

/** @throws CommandError when the context cannot be read */
export async function buildContext(options: ContextOptions): Promise<BuildContext> {
  const { source, file, stdin, further = new Map() } = options;
  if (source === '-' && file === '-') {
    throw new CommandError("invalid argument: can't use stdin for both build context and dockerfile");
  }
  if (source === '-' && further.size > 0)
    throw cannot('further contexts are sent with one that is a directory, and not with standard input');
  if (source === '-') return contextOfInput(stdin(), file);
  if (/^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(source)) {
    throw cannot(`${source} is not on this machine: fetch it first (git clone, curl | mini-docker build -)`);
  }
  const directory = directoryAt(source, 'a directory (a Dockerfile is named with -f)');
  const others = await Promise.all([...further].map(([as, path]) => furtherTree(as, path)));
  if (file === '-') return withOwnDockerfile({ directory, text: await collected(stdin()), others });

  const path = file === undefined ? join(directory, 'Dockerfile') : resolve(file);
  let text: Buffer;
  try {
    text = readFileSync(fsPath(path));
  } catch (cause) {
    const hint = file === undefined ? ' (another one is named with -f)' : '';
    throw cannot(`cannot read the Dockerfile ${path}: ${fileReason(cause)}${hint}`, cause);
  }
  const inside = relative(directory, path);
  const ownList = await readList(`${path}.dockerignore`);
  if (inside.startsWith('..')) return withOwnDockerfile({ directory, text, ownList, others });
  const list = ownList ?? (await readList(join(directory, '.dockerignore')));
  const own = treeOf({ directory, list, always: [inside, '.dockerignore'] });
  return { dockerfile: inside, body: packTrees({ trees: [own, ...others], doing: DOING }) };
}

const DOING = 'error checking context';

function directoryAt(source: string, wanted = 'a directory'): string {
  const directory = resolve(source);
  const stats = statSync(fsPath(directory), { throwIfNoEntry: false });
  if (stats === undefined) throw cannot(`path ${JSON.stringify(source)} not found`);
  if (!stats.isDirectory()) throw cannot(`${source} is not ${wanted}`);
  return directory;
}

async function furtherTree(as: string, source: string): Promise<PackedTree> {
  const directory = directoryAt(source);
  const list = await readList(join(directory, '.dockerignore'));
  return { ...treeOf({ directory, list, always: [] }), as: path => `${as}/${path}`, root: as };
}

/** What is sent of a directory: files that `list` does not ignore, and those that the daemon needs anyway. */
function treeOf(options: {
  directory: string;
  list: IgnoreList | undefined;
  always: readonly string[];
}): PackedTree {
  const { directory, list, always } = options;
  return {
    directory,
    wants: path => always.includes(path) || list?.ignores(path) !== true,
    mayHold: path => list?.hasExceptions === true || always.some(each => each.startsWith(`${path}/`)),
  };
}

/** A Dockerfile from outside the context is added to it under an unused name. */
async function withOwnDockerfile(options: {
  directory: string;
  text: Uint8Array;
  ownList?: IgnoreList | undefined;
  others: readonly PackedTree[];
}): Promise<BuildContext> {
  const { directory, text, others } = options;
  const dockerfile = `.dockerfile.${process.pid}-${process.hrtime.bigint()}`;
  const list = options.ownList ?? (await readList(join(directory, '.dockerignore')));
  const own = treeOf({ directory, list, always: ['.dockerignore'] });
  const extra = { name: dockerfile, text };
  return { dockerfile, body: packTrees({ trees: [own, ...others], extra, doing: DOING }) };
}

/** A tar is passed on unchanged; anything else is a Dockerfile. */
async function contextOfInput(
  stdin: AsyncIterable<Uint8Array>,
  file: string | undefined,
): Promise<BuildContext> {
  const chunks = stdin[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < BLOCK) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  if (start.length === 0) throw cannot('standard input is empty: it must be a Dockerfile or a tar archive');
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  if (isArchive(start)) return { dockerfile: file ?? 'Dockerfile', body: rest() };
  if (file !== undefined)
    throw cannot('standard input is no tar archive, in which -f could name a Dockerfile');
  const text = await collected(rest());
  const extra = { name: 'Dockerfile', text };
  return {
    dockerfile: 'Dockerfile',
    body: packTrees({ trees: [], extra, doing: DOING }),
  };
}

const MAGIC = ['1f8b08', '28b52ffd', '425a68', 'fd377a585a'];

function isArchive(start: Buffer): boolean {
  if (MAGIC.some(magic => start.toString('hex', 0, magic.length / 2) === magic)) return true;
  if (start.length < BLOCK) return false;
  try {
    return decodeHeader(start.subarray(0, BLOCK)) !== undefined;
  } catch {
    return false;
  }
}

async function readList(path: string): Promise<IgnoreList | undefined> {
  let text: string;
  try {
    text = readFileSync(fsPath(path), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cannot(`cannot read ${path}: ${fileReason(cause)}`, cause);
  }
  const { decodeDockerignore } = await import('../../formats/dockerignore.ts');
  try {
    return decodeDockerignore(text);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new CommandError(`error checking context: ${cause.message}`, { cause });
  }
}
