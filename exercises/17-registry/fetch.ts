// Fetches a blob, in several runs if need be.   Run: node fetch.ts URL DIGEST SIZE FILE
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const [url = '', digest = '', size = '', file = ''] = process.argv.slice(2);

/** The bytes that have arrived. */
const part = `${file}.part`;

/** Ends the program. The next run resumes after the bytes that are here. */
function giveUp(reason: unknown): never {
  console.error(`fetch: ${reason}`);
  process.exit(1);
}

/** Ends the program. The bytes that are here are wrong, and are removed. */
function refuse(reason: string): never {
  rmSync(part, { force: true });
  return giveUp(reason);
}

try {
  // TODO: what is here already, and which bytes are missing?
  const response = await fetch(url);
  if (!response.ok) giveUp(response.status);
  const out = openSync(part, 'w');
  for await (const chunk of response.body ?? []) {
    // TODO: how many bytes may there be, and what is their digest?
    writeFileSync(out, chunk);
  }
  void [digest, size, refuse, createHash, existsSync, readFileSync];
  renameSync(part, file);
} catch (error) {
  giveUp(error);
}
