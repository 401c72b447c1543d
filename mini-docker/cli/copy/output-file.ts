// Writes a command's output to a file.

import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CommandError, fileReason } from '../errors.ts';

/**
 * Writes under a temporary name until the file is complete, so that an interrupted copy is not taken for one.
 * @throws CommandError when it cannot be written: 'failed to `doing`: …'
 */
export async function writeOutputFile(
  path: string,
  body: AsyncIterable<Uint8Array>,
  doing: string,
): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old?.isDirectory()) throw new CommandError(`failed to ${doing}: ${path} is a directory`);
  // A device or a pipe is written directly.
  const through = old && !old.isFile() ? path : `${path}.${process.pid}.part`;
  try {
    await pipeline(body, createWriteStream(through, { mode: 0o600 }));
    if (through !== path) await rename(through, path);
  } catch (cause) {
    if (through !== path) await rm(through, { force: true });
    throw new CommandError(`failed to ${doing}: ${path}: ${fileReason(cause)}`, { cause });
  }
}
