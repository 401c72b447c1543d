// Prints the kinds of namespaces that two processes share.   Run: node same.ts PID1 PID2
import { kinds, namespaceOf } from '../../chapters/00-machine/namespaces.ts';

const [first, second] = process.argv.slice(2).map(Number);

for (const kind of kinds) {
  // TODO: print the kind if both processes are in the same namespace of it.
  void [first, second, namespaceOf, kind];
}
