// Paths of the course's own files.
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '..');
export const nodeDirectory = join(repository, 'node_modules/.bin');
/** Node's compile cache for shared modules, made by bin/setup; it may be missing. */
export const compiledDirectory = join(repository, 'dist/.compiled');
