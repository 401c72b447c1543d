// .dockerignore (https://docs.docker.com/build/concepts/context/#dockerignore-files).
import library from '@balena/dockerignore';

export interface IgnoreList {
  /** `path` is relative to the context, without a slash at its end. */
  ignores(path: string): boolean;
  /** Whether something below a directory that is ignored may be wanted all the same: there are lines with '!'. */
  hasExceptions: boolean;
}

/** Its types speak of a default export, which a CommonJS module does not have. */
const newList = library as unknown as typeof library.default;

export function decodeDockerignore(text: string): IgnoreList {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'));
  const list = newList().add(lines);
  return { ignores: path => list.ignores(path), hasExceptions: lines.some(line => line.startsWith('!')) };
}
