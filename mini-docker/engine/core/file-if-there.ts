// Files that may be missing. Any other trouble in reading them is an error: what is there must not be taken for missing,
// and then be made anew.

import { readFileSync } from 'node:fs';
import { ExpectedError } from '../../formats/errors.ts';

/** undefined when there is none. @throws where it is there and cannot be read */
export function fileIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ExpectedError('internal', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** undefined also where its writer was killed before it was whole. */
export function jsonIfThere(path: string): unknown {
  const bytes = fileIfThere(path);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
