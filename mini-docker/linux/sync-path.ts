// fsync(2) on another thread, for a file or a directory: a name is on the disk when its directory is.

import { fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { Descriptor } from './descriptor.ts';

const sync = promisify(fsync);

/** Never rejects: the file may have been removed, and a fault of the disk is reported by the next write. */
export async function syncPath(path: string): Promise<void> {
  try {
    using file = new Descriptor(openSync(path, 'r'));
    await sync(file.number);
  } catch {
    // See above.
  }
}
