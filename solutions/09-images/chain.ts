// Prints the chainIDs of layers.   Run: node chain.ts DIFFID…
import { digestOf } from '../../chapters/09-images/store.ts';

let chainId = '';
for (const diffId of process.argv.slice(2)) {
  chainId = chainId === '' ? diffId : digestOf(Buffer.from(`${chainId} ${diffId}`));
  console.log(chainId);
}
