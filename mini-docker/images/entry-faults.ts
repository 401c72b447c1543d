// Translates a filesystem's error into one about the archive's entry, if only the archive can have caused it.
import { ImageError } from './errors.ts';

/** Errnos that an impossible entry causes, and what is wrong with the entry. */
const FAULTS: Record<string, string | undefined> = {
  ENOENT: 'it is a symbolic link to nothing, or its directory has gone',
  ENAMETOOLONG: 'its name is too long',
  EEXIST: 'something else is in its place',
  ENOTDIR: 'a part of its path is no directory',
  EISDIR: 'a directory is in its place',
  ENOTEMPTY: 'a directory with files is in its place',
  ELOOP: 'its path leads through too many links',
  EXDEV: 'its path leads out of the filesystem',
  EINVAL: 'the filesystem accepts no such name, type or attribute',
  EILSEQ: 'the filesystem accepts no such name',
  EPERM: 'it may not be made',
  EMLINK: 'a file has too many names',
  EFBIG: 'it is too large',
  E2BIG: 'an attribute is too large',
  ERANGE: 'an attribute is too large',
};

/** Returns the same error when the archive is not to blame. */
export function asEntryFault(error: unknown, path: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const why = FAULTS[code];
  if (why === undefined) return error;
  const shown = JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
  return new ImageError(`the archive's entry ${shown} cannot be unpacked: ${why} (${code})`, {
    cause: error,
  });
}
