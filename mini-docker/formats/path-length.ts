// The longest path and the longest name that system calls accept (<linux/limits.h>).
import { encodeName } from './byte-names.ts';

/** Bytes, including the final NUL. */
const PATH_MAX = 4096;
/** Bytes of one part of a path. */
const NAME_MAX = 255;

/** Whether system calls would answer ENAMETOOLONG. */
export const isTooLong = (path: string): boolean => {
  const bytes = encodeName(path);
  return (
    bytes.length >= PATH_MAX ||
    bytes
      .toString('latin1')
      .split('/')
      .some(name => name.length > NAME_MAX)
  );
};

/** The error for such a path, in Docker's words. */
export const tooLong = (path: string): string => `${path.slice(0, 100)}…: file name too long`;
