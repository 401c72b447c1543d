// Prints the processes that are in another namespace than process 1.   Run: node strangers.ts KIND
import { readdirSync } from 'node:fs';
import { type Kind, namespaceOf } from '../../chapters/00-machine/namespaces.ts';

const kind = process.argv[2] as Kind;

/** The kernel shows each process as a directory in /proc; other things are in there as well. */
const pids = readdirSync('/proc')
  .map(Number)
  .filter(Number.isInteger)
  .sort((a, b) => a - b);

for (const pid of pids) {
  // TODO: print the pid if its namespace is another than that of process 1.
  // A process may have ended since readdirSync() looked: then there is nothing to print.
  void [kind, namespaceOf, pid];
}
