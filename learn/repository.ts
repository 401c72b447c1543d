// Where the course's own files are.
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '..');
export const nodeDirectory = join(repository, 'node_modules/.bin');
/** What Node has compiled of the modules that programs share (bin/setup); it may be missing. */
export const compiledDirectory = join(repository, 'dist/.compiled');
