// Tells whether a process that somebody has written down is still there.   Run: node alive.ts FILE
import { readFileSync } from 'node:fs';
import { type ProcessIdentity, readStat, sameProcess } from '#linux';

const record = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ProcessIdentity;

/** TODO: is it that process, and has it not ended? */
function isAlive({ pid }: ProcessIdentity): boolean {
  void [pid, readStat, sameProcess];
  return false;
}

console.log(isAlive(record) ? 'alive' : 'gone');
