// fsync(2) on another thread, for a file or a directory: a name is on the disk when its directory is.
import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const sync = promisify(fsync);

/** Never rejects: the file may have been removed, and a fault of the disk is reported by the next write. */
export async function syncPath(path: string): Promise<void> {
  try {
    const fd = openSync(path, 'r');
    try {
      await sync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // See above.
  }
}
