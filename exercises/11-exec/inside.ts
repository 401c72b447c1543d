// Prints the processes in a process's pid namespace.   Run: node inside.ts PID
import { readdirSync } from 'node:fs';
import { readStatus } from '#linux';
import { namespaceOf } from '../../chapters/00-machine/namespaces.ts';

const target = Number(process.argv[2]);

for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
  // TODO: is it in the same pid namespace as the target, and which pid does it have there?
  void [pid, target, readStatus, namespaceOf];
}
