// Prints the processes in a process's pid namespace.   Run: node inside.ts PID
import { readdirSync } from 'node:fs';
import { readStatus } from '#linux';
import { namespaceOf } from '../../chapters/00-machine/namespaces.ts';

const target = Number(process.argv[2]);

const wanted = namespaceOf(target, 'pid');
for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
  if (isIn(pid)) console.log(`${pid} ${readStatus(pid)?.nspid.at(-1)}`);
}

function isIn(pid: number): boolean {
  try {
    return namespaceOf(pid, 'pid') === wanted;
  } catch {
    return false; // It has ended in the meantime.
  }
}
