// Prints the chainIDs of layers.   Run: node chain.ts DIFFID…
import { digestOf } from '../../chapters/09-images/store.ts';

for (const diffId of process.argv.slice(2)) {
  // TODO: what is the name of this layer together with those below it?
  void [digestOf, diffId];
  console.log('');
}
