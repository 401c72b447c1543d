// Prints the kinds of namespaces that two processes share.   Run: node same.ts PID1 PID2
import { kinds, namespaceOf } from '../../chapters/00-machine/namespaces.ts';

const [first = 1, second = 1] = process.argv.slice(2).map(Number);

for (const kind of kinds) {
  if (namespaceOf(first, kind) === namespaceOf(second, kind)) console.log(kind);
}
