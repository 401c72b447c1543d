// The engine's id for `info`, by which clients recognise it; it stays the same as long as the data root
// exists.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { FormatError } from '../../formats/errors.ts';
import { loadKept, saveKept, type Tell } from '../../linux/kept-file.ts';

export function engineId(dataRoot: string, tell: Tell): string {
  const path = join(dataRoot, 'engine-id');
  const known = loadKept(path, decodeId, tell);
  if (known !== undefined) return known;
  const id = randomUUID();
  saveKept(path, `${id}\n`);
  return id;
}

function decodeId(bytes: Buffer): string {
  const id = bytes.toString().trim();
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new FormatError('it is not an id');
  return id;
}
