// Tells whether the process in a record still exists.   Run: node alive.ts FILE
import { readFileSync } from 'node:fs';
import { type ProcessIdentity, readStat, sameProcess } from '#linux';

const record = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ProcessIdentity;

/** TODO: is it the same process, and is it still running? */
function isAlive({ pid }: ProcessIdentity): boolean {
  void [pid, readStat, sameProcess];
  return false;
}

console.log(isAlive(record) ? 'alive' : 'gone');
