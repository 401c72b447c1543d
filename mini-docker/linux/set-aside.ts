// Foreign files in the place of our own: they are renamed within the same directory, so that no data is lost
// and the daemon does not have to wait for a removal.

import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, type Stats } from 'node:fs';

/** Renames a file within its directory. @returns the new path */
export function setAside(path: string): string {
  try {
    const there = lstat(path);
    if (there?.isCharacterDevice() || there?.isBlockDevice()) return 'left in place: it is a device';
    for (let number = 1; ; number++) {
      const name = `${path}.broken${number === 1 ? '' : `-${number}`}`;
      if (lstat(name) !== undefined) continue;
      renameSync(path, name);
      return `moved to ${name}`;
    }
  } catch (error) {
    return `left in place: ${(error as Error).message}`;
  }
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/**
 * rename(2), which first sets aside a file in the place of a directory, or a directory in the place of a
 * file.
 */
export function renameOver(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(code)) throw error;
    setAside(to);
    renameSync(from, to);
  }
}

/**
 * Opens a file that the process writes to for as long as it runs, and creates it when it is missing. A file
 * of another kind or of another user in its place is set aside: opening a FIFO would wait for a reader.
 */
export function openKept(path: string, mode: number): number {
  for (let attempts = 0; ; attempts++) {
    try {
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK, mode);
      const stats = fstatSync(fd);
      // Users send a log to /dev/null.
      if (stats.isFile() || stats.isCharacterDevice()) return fd;
      closeSync(fd);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (attempts > 0 || !['EISDIR', 'ELOOP', 'ENXIO', 'ENODEV', 'ENOENT', 'EACCES'].includes(code))
        throw error;
    }
    if (attempts > 0) throw new Error(`${path} is no ordinary file`);
    setAside(path);
  }
}
