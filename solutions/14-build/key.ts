// Prints a step's key for the cache.   Run: node key.ts PARENT INSTRUCTION [FILE…]
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

const [parent = '', instruction = '', ...files] = process.argv.slice(2);

const hash = createHash('sha256');
/** Adds a part with its length before it, so that 'ab' and 'c' differ from 'a' and 'bc'. */
function add(part: string | Buffer): void {
  hash.update(`${Buffer.byteLength(part)}:`).update(part);
}

add(instruction);
add(parent);
for (const file of files) {
  add(file);
  add(`${statSync(file).mode}`);
  add(readFileSync(file));
}
console.log(hash.digest('hex'));
