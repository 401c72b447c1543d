// Tells whether the process in a record still exists.   Run: node alive.ts FILE
import { readFileSync } from 'node:fs';
import { type ProcessIdentity, readStat, sameProcess } from '#linux';

const record = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ProcessIdentity;

function isAlive(identity: ProcessIdentity): boolean {
  return sameProcess(identity) && readStat(identity.pid)?.state !== 'Z';
}

console.log(isAlive(record) ? 'alive' : 'gone');
