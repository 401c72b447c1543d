// Packs the context of a build as the tar that POST /build takes: a directory without the files that
// .dockerignore names, or standard input. Node modules that are slow to load (file streams, crypto) are
// avoided, or loaded on demand: they would take as long as a fully cached build.

import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { decodeName, encodeName, fsPath } from '../../formats/byte-names.ts';
import type { IgnoreList } from '../../formats/dockerignore.ts';
import { FormatError } from '../../formats/errors.ts';
import { encodeEntry } from '../../formats/tar/encode.ts';
import { BLOCK, END_OF_ARCHIVE, padding, type TarEntry, type TarType } from '../../formats/tar/entry.ts';
import { decodeHeader } from '../../formats/tar/header.ts';
import { CommandError, fileReason } from '../errors.ts';
import { capabilitiesOf } from './capabilities.ts';

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
}

const cannot = (why: string, cause?: unknown): CommandError =>
  new CommandError(`unable to prepare context: ${why}`, { cause });

/** @throws CommandError when the context cannot be read */
export async function buildContext(options: ContextOptions): Promise<BuildContext> {
  const { source, file, stdin } = options;
  if (source === '-' && file === '-') {
    throw new CommandError("invalid argument: can't use stdin for both build context and dockerfile");
  }
  if (source === '-') return contextOfInput(stdin(), file);
  if (/^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(source)) {
    throw cannot(`${source} is not on this machine: fetch it first (git clone, curl | mini-docker build -)`);
  }
  const directory = resolve(source);
  const stats = statSync(fsPath(directory), { throwIfNoEntry: false });
  if (stats === undefined) throw cannot(`path ${JSON.stringify(source)} not found`);
  if (!stats.isDirectory()) throw cannot(`${source} is not a directory (a Dockerfile is named with -f)`);
  if (file === '-') return withOwnDockerfile(directory, await collect(stdin()), undefined);

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
  if (inside.startsWith('..')) return withOwnDockerfile(directory, text, ownList);
  return {
    dockerfile: inside,
    body: packed({
      directory,
      list: ownList ?? (await readList(join(directory, '.dockerignore'))),
      always: [inside, '.dockerignore'],
    }),
  };
}

/** A Dockerfile from outside the context is added to it under an unused name. */
async function withOwnDockerfile(
  directory: string,
  text: Uint8Array,
  ownList: IgnoreList | undefined,
): Promise<BuildContext> {
  const dockerfile = `.dockerfile.${process.pid}-${process.hrtime.bigint()}`;
  const list = ownList ?? (await readList(join(directory, '.dockerignore')));
  return {
    dockerfile,
    body: packed({ directory, list, always: ['.dockerignore'], extra: { name: dockerfile, text } }),
  };
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
  const text = await collect(rest());
  const extra = { name: 'Dockerfile', text };
  return {
    dockerfile: 'Dockerfile',
    body: packed({ directory: undefined, list: undefined, always: [], extra }),
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

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return Buffer.concat(found);
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

interface Packing {
  directory: string | undefined;
  list: IgnoreList | undefined;
  /** Files that are sent despite .dockerignore, since the daemon needs them. */
  always: readonly string[];
  extra?: { name: string; text: Uint8Array };
}

const BATCH = 1 << 18;

/**
 * Packs in pieces of about 256 KiB. All files belong to root, as in docker, so a build does not depend on
 * this machine's users.
 */
async function* packed({ directory, list, always, extra }: Packing): AsyncGenerator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array) => {
    batch.push(bytes);
    length += bytes.length;
  };
  const flush = () => {
    const bytes = Buffer.concat(batch);
    batch = [];
    length = 0;
    return bytes;
  };
  if (extra !== undefined) {
    const { name: path, text } = extra;
    add(encodeEntry({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: text.length, mtime: 0n }));
    add(text);
    add(new Uint8Array(padding(text.length)));
  }
  for (const { path, from, entry } of directory === undefined ? [] : walk({ directory, list, always })) {
    const xattrs = entry.type === 'file' ? await capabilitiesOf(from, entry.mode) : undefined;
    add(encodeEntry(xattrs === undefined ? entry : { ...entry, xattrs }));
    if (entry.size > 0) {
      let left = entry.size;
      try {
        for (const chunk of contentOf(from, entry.size)) {
          left -= chunk.length;
          add(chunk);
          if (length >= BATCH) yield flush();
        }
      } catch (cause) {
        throw new CommandError(`error checking context: cannot read ${path}: ${fileReason(cause)}`, {
          cause,
        });
      }
      add(new Uint8Array(left + padding(entry.size)));
    }
    if (length >= BATCH) yield flush();
  }
  add(END_OF_ARCHIVE);
  yield flush();
}

/** Exactly as many bytes as announced, even if the file grows meanwhile; fewer if it has been truncated. */
function* contentOf(path: Buffer, size: number): Generator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    for (let left = size; left > 0; ) {
      const chunk = new Uint8Array(Math.min(left, BATCH));
      const count = readSync(fd, chunk);
      if (count === 0) return;
      left -= count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

interface Found {
  path: string;
  from: Buffer;
  entry: TarEntry;
}

function* walk(options: {
  directory: string;
  list: IgnoreList | undefined;
  always: readonly string[];
}): Generator<Found> {
  const { list, always } = options;
  const isWanted = (path: string) => always.includes(path) || list?.ignores(path) !== true;
  const leadsToWanted = (path: string) =>
    list?.hasExceptions === true || always.some(each => each.startsWith(`${path}/`));
  function* visit(directory: Buffer, prefix: string): Generator<Found> {
    for (const name of names(directory).sort(Buffer.compare)) {
      const path = prefix + decodeName(name);
      const from = Buffer.concat([directory, Buffer.from('/'), name]);
      const wanted = isWanted(path);
      const found = wanted || leadsToWanted(path) ? describe(from, path) : undefined;
      if (found === undefined) continue;
      const isDirectory = found.entry.type === 'directory';
      if (wanted) yield found;
      if (isDirectory && (wanted || leadsToWanted(path))) yield* visit(from, `${path}/`);
    }
  }
  yield* visit(encodeName(options.directory), '');
}

function names(directory: Buffer): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' });
  } catch (cause) {
    throw new CommandError(`error checking context: cannot read ${directory}: ${fileReason(cause)}`, {
      cause,
    });
  }
}

function describe(from: Buffer, path: string): Found | undefined {
  const stats = lstatSync(from, { bigint: true });
  const types: [boolean, TarType][] = [
    [stats.isFile(), 'file'],
    [stats.isDirectory(), 'directory'],
    [stats.isSymbolicLink(), 'symlink'],
    [stats.isFIFO(), 'fifo'],
  ];
  // Sockets and devices cannot be copied into an image.
  const type = types.find(([is]) => is)?.[1];
  if (type === undefined) return undefined;
  const entry: TarEntry = {
    path,
    type,
    mode: Number(stats.mode) & 0o7777,
    uid: 0,
    gid: 0,
    size: type === 'file' ? Number(stats.size) : 0,
    mtime: stats.mtimeNs,
    ...(type === 'symlink' ? { linkname: decodeName(readlinkSync(from, { encoding: 'buffer' })) } : {}),
  };
  return { path, from, entry };
}
