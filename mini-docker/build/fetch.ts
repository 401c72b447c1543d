// ADD of a URL: the file is stored unchanged.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, rm, utimes } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BuildError } from './errors.ts';

export const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

/** Refuses Git repositories, which ADD cannot fetch here, before the context is searched. */
export function refuseGit(source: string): void {
  if (/^(?:git@|git:\/\/|ssh:\/\/)|\.git(?:[#?]|$)/i.test(source)) {
    throw new BuildError(
      `cannot add ${source}: git repositories are not supported; clone it into the context`,
    );
  }
}

/**
 * Downloads a file into `directory` and returns its name there. @throws BuildError when the download fails
 */
export async function fetchFile(
  url: string,
  options: { directory: string; checksum?: string; signal: AbortSignal; limit: number },
): Promise<string> {
  const { directory, checksum, signal, limit } = options;
  const name = nameIn(url);
  const path = join(directory, name);
  const hash = createHash('sha256');
  let size = 0;
  const failed = (why: string, cause?: unknown) =>
    new BuildError(`failed to fetch ${url}: ${why}`, { cause });
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw failed(reason(cause), cause);
  }
  if (!response.ok || response.body === null)
    throw failed(`${response.status} ${response.statusText}`.trim());
  try {
    await pipeline(
      Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
      async function* (chunks) {
        for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
          size += chunk.length;
          if (size > limit) throw new BuildError(`it is larger than the ${limit} bytes that are free`);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      { signal },
    );
  } catch (cause) {
    await rm(path, { force: true });
    throw failed(reason(cause), cause);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (checksum !== undefined && checksum !== digest) {
    throw failed(`its checksum is ${digest}, and the Dockerfile says ${checksum}`);
  }
  await chmod(path, 0o600);
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  const time = new Date(Number.isNaN(modified) ? 0 : modified);
  await utimes(path, time, time);
  return name;
}

function nameIn(url: string): string {
  let name = '';
  try {
    name = posix.basename(decodeURIComponent(new URL(url).pathname));
  } catch (cause) {
    throw new BuildError(`not a URL: ${url}`, { cause });
  }
  if (name === '' || name === '.' || name === '..' || name.includes('\0') || name.includes('/')) {
    throw new BuildError(`cannot determine a file name from ${url}`);
  }
  return name;
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && message === 'fetch failed' ? cause.message : message;
}
