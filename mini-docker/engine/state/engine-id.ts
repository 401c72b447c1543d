// The engine's name for `info`, by which clients and fleets know it: the same for as long as the data root lives.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { writeWhole } from '../../linux/whole-file.ts';
import { fileIfThere } from '../core/file-if-there.ts';

/** @throws where there is one that cannot be read: it is not replaced */
export function engineId(dataRoot: string): string {
  const path = join(dataRoot, 'engine-id');
  const known = fileIfThere(path)?.toString().trim();
  if (known) return known;
  const id = randomUUID();
  writeWhole(path, `${id}\n`, { mode: 0o644 });
  return id;
}
