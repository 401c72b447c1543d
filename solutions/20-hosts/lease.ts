// Keeps a key in a store for as long as it runs.   Run: node lease.ts STORE KEY VALUE
import { setTimeout as sleep } from 'node:timers/promises';

const [store, key = '', value = ''] = process.argv.slice(2);
/** Seconds of a lease. */
const TTL = 2;
/** Milliseconds: between two rounds, and until an answer counts as lost. */
const [ROUND, PATIENCE] = [200, 500];

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Asks the store, as etcd is asked. @throws Error that ends in the status if the store refuses */
async function ask(path: string, body: object): Promise<{ ID?: string }> {
  const response = await fetch(`${store}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as { ID?: string };
}

let lease: string | undefined;
for (;;) {
  try {
    if (lease === undefined) lease = (await ask('lease/grant', { TTL })).ID;
    else await ask('lease/keepalive', { ID: lease });
    await ask('kv/put', { key: base64(key), value: base64(value), lease });
  } catch (error) {
    if (/: 404$/.test((error as Error).message)) lease = undefined;
  }
  await sleep(ROUND);
}
