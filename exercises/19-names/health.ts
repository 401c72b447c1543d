// Tells how a service is.   Run: node health.ts INTERVAL TIMEOUT RETRIES COMMAND…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const [interval, timeout, retries] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const [command = '', ...words] = process.argv.slice(5);

/** Runs the command once. @returns whether it has succeeded within the time */
async function passes(): Promise<boolean> {
  const child = spawn(command, words, { stdio: 'ignore' });
  // TODO: and if it takes longer than the timeout?
  void timeout;
  const [code] = await once(child, 'exit');
  return code === 0;
}

console.log('starting');
for (;;) {
  await sleep(interval);
  // TODO: when does the status change? Print it then, and only then.
  void retries;
  console.log((await passes()) ? 'healthy' : 'unhealthy');
}
