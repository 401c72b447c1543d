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
  let known = existsSync(part) ? readFileSync(part) : Buffer.alloc(0);
  const headers: Record<string, string> = known.length > 0 ? { Range: `bytes=${known.length}-` } : {};
  const response = await fetch(url, { headers });
  if (response.status === 416) refuse('nothing is missing, and yet it is not complete');
  if (!response.ok) giveUp(response.status);
  if (response.status !== 206) known = Buffer.alloc(0);
  const hash = createHash('sha256').update(known);
  const out = openSync(part, known.length > 0 ? 'a' : 'w');
  let received = known.length;
  for await (const chunk of response.body ?? []) {
    received += chunk.length;
    if (received > Number(size)) refuse(`there are more than ${size} bytes`);
    hash.update(chunk);
    writeFileSync(out, chunk);
  }
  if (`sha256:${hash.digest('hex')}` !== digest) refuse('these are other bytes');
  renameSync(part, file);
} catch (error) {
  giveUp(error);
}
