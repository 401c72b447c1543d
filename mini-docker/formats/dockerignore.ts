// .dockerignore (https://docs.docker.com/build/concepts/context/#dockerignore-files): the last line that fits a path, or a
// directory above it, decides.

import { posix } from 'node:path';
import { FormatError } from './errors.ts';
import { compileGlob, type Glob } from './glob.ts';

export interface IgnoreList {
  /** @param path relative to the context, without a trailing slash */
  ignores(path: string): boolean;
  /** Whether files below an ignored directory may be included after all, because of lines with '!'. */
  hasExceptions: boolean;
}

interface Line {
  glob: Glob;
  isException: boolean;
}

/** @throws FormatError when a pattern is not valid */
export function decodeDockerignore(text: string): IgnoreList {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => decodeLine(line, index + 1));
  return {
    ignores: path =>
      lines.reduce(
        (ignored, { glob, isException }) =>
          // A line that would change nothing is not tried.
          ignored === isException && glob.matchesPathOrParent(path) ? !isException : ignored,
        false,
      ),
    hasExceptions: lines.some(line => line.isException),
  };
}

function decodeLine(line: string, number: number): Line[] {
  const trimmed = line.trim();
  if (trimmed === '' || line.startsWith('#')) return [];
  const isException = trimmed.startsWith('!');
  const pattern = isException ? trimmed.slice(1).trim() : trimmed;
  const shown = JSON.stringify(trimmed.slice(0, 80));
  if (pattern === '') throw new FormatError(`.dockerignore:${number}: illegal exclusion pattern: ${shown}`);
  // Go's filepath.Clean; a slash at the front or at the end means nothing.
  const clean = posix
    .normalize(pattern)
    .replace(/^\/(?=.)/, '')
    .replace(/(?<=.)\/$/, '');
  try {
    return [{ glob: compileGlob(clean, { separator: '/', sets: true, directories: true }), isException }];
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(`.dockerignore:${number}: syntax error in pattern ${shown}: ${cause.message}`, {
      cause,
    });
  }
}
