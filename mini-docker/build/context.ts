// The context that a client sent, as files, and the Dockerfile in it.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type Dockerfile, parseDockerfile } from '../formats/dockerfile/dockerfile.ts';
import { decodeDockerignore, type IgnoreList } from '../formats/dockerignore.ts';
import { ExpectedError, FormatError } from '../formats/errors.ts';
import { spaceFor } from '../images/layers.ts';
import { unpackArchive } from '../images/unpack-archive.ts';
import { O } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import { removeTreeAt } from '../linux/remove-tree.ts';
import { BuildError } from './errors.ts';
import { isFile, locate, openFileOf } from './sources.ts';
import { hashFiles } from './transfer.ts';

/** Largest Dockerfile, in bytes; a larger file is taken for a mistake. */
const LARGEST = 4 * 1024 * 1024;

/**
 * Unpacks the context into an empty directory. @throws BuildError when it cannot be read
 * @returns a descriptor of the directory, which the caller closes
 */
export async function unpackContext(source: AsyncIterable<Uint8Array>, directory: string): Promise<number> {
  const rootFd = openSync(directory, O.RDONLY | O.DIRECTORY);
  try {
    await unpackArchive({ rootFd, whiteouts: false, limit: spaceFor(directory), source });
    return rootFd;
  } catch (cause) {
    closeSync(rootFd);
    if (!(cause instanceof ExpectedError)) throw cause;
    throw new BuildError(`the build context cannot be read: ${cause.message}`, { cause });
  }
}

/** @throws BuildError when the file cannot be read, DockerfileError when it is wrong */
export function readDockerfile(context: number, path: string): Dockerfile {
  using found = locate(context, path);
  if (found === undefined) throw new BuildError(`Cannot locate specified Dockerfile: ${path}`);
  if (!isFile(found)) throw new BuildError(`the Dockerfile is not a file: ${path}`);
  if (found.status.size > LARGEST)
    throw new BuildError(`the Dockerfile is larger than ${LARGEST} bytes: ${path}`);
  return parseDockerfile(readText(found), path.replace(/^\.dockerfile\.[0-9a-f]+$/, 'Dockerfile'));
}

/**
 * Removes the Dockerfile and .dockerignore where .dockerignore excludes them: clients send them even so
 * because the build needs them, but COPY must not see them.
 */
export function removeIgnored(context: number, dockerfile: string): void {
  using list = locate(context, '.dockerignore');
  if (list === undefined || !isFile(list) || list.status.size > LARGEST) return;
  const ignored = decodeList(readText(list));
  const path = dockerfile.replace(/^(?:\.?\/)+/, '');
  for (const each of ['.dockerignore', path]) {
    if (path.includes('/') && each === path) continue;
    if (ignored.ignores(each)) removeTreeAt(context, each);
  }
}

function decodeList(text: string): IgnoreList {
  try {
    return decodeDockerignore(text);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new BuildError(`error checking context: ${cause.message}`, { cause });
  }
}

function readText(found: Parameters<typeof openFileOf>[0]): string {
  using file = new Descriptor(openFileOf(found));
  return readFileSync(file.number, 'utf8');
}

/** Digest of all files. */
export async function hashContext(context: number): Promise<string> {
  const hash = createHash('sha256');
  using located = locate(context, '.')!;
  await hashFiles(located, { as: '', hash });
  return hash.digest('hex');
}
