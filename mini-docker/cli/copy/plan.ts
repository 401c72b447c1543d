// Decides the destination and the name of a copy, by the rules of `docker cp`
// (https://docs.docker.com/reference/cli/docker/container/cp/#extended-description), for both directions.

import { posix } from 'node:path';
import { CommandError } from '../errors.ts';

export interface CopySource {
  path: string;
  directory: boolean;
}

export interface CopyTarget {
  path: string;
  exists: boolean;
  directory: boolean;
}

export interface CopyPlan {
  /** The directory to unpack in, which must exist. */
  into: string;
  /** Name of the archive's topmost entry there; undefined leaves all names as they are. */
  rename?: string;
}

/** 'dir/' and 'dir/.' must be directories; 'dir/.' means the directory's content. */
export const assertsDirectory = (path: string): boolean => /\/\.?$/.test(path) || path === '.';

export const contentsOnly = (path: string): boolean => /(^|\/)\.$/.test(path);

/** @throws CommandError when the copy is impossible */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  const whole = target.path.replace(/\/+\.?$/, '') || '/';
  const parent = { into: posix.dirname(whole), rename: posix.basename(whole) };
  if (target.exists && target.directory) {
    const isContents = source.directory && contentsOnly(source.path);
    return isContents ? { into: target.path } : { into: target.path, rename: baseName(source.path) };
  }
  if (target.exists) {
    if (source.directory) throw new CommandError('cannot copy directory');
    if (assertsDirectory(target.path)) throw new CommandError('not a directory');
    return parent;
  }
  // 'new/' may be the new name of a copied directory; 'new/.' must exist.
  if (contentsOnly(target.path) || (!source.directory && assertsDirectory(target.path)))
    throw new CommandError('no such directory');
  return parent;
}

function baseName(path: string): string {
  const name = posix.basename(path.replace(/\/+$/, ''));
  return name === '' ? '.' : name;
}

/** The name of an entry when the topmost one is renamed to `to`: 'dd/a' → 'to/a', './a' → 'to/a'. */
export function renamed(entry: string, to: string): string {
  const name = entry.replace(/^(\.?\/)+/, '');
  const below = /^(\.?\/|\.$)/.test(entry) ? name.replace(/^\.$/, '') : name.split('/').slice(1).join('/');
  return below === '' ? to : `${to}/${below}`;
}

/** Splits 'web:/etc/hosts' into container and path; a local path has no colon before its first slash. */
export function parseCopyArgument(argument: string): { container?: string; path: string } {
  if (argument === '-' || posix.isAbsolute(argument)) return { path: argument };
  const colon = argument.indexOf(':');
  if (colon < 1 || argument.startsWith('.') || argument.slice(0, colon).includes('/'))
    return { path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}
