// Where the course's own files are.
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '..');
export const nodeDirectory = join(repository, 'node_modules/.bin');
