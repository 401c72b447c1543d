// Tells how a service is.   Run: node health.ts INTERVAL TIMEOUT RETRIES COMMAND…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const [interval, timeout, retries] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const [command = '', ...words] = process.argv.slice(5);

/** Runs the command once. @returns whether it has succeeded within the time */
async function passes(): Promise<boolean> {
  const child = spawn(command, words, { stdio: 'ignore' });
  const late = setTimeout(() => child.kill('SIGKILL'), timeout);
  const [code] = await once(child, 'exit');
  clearTimeout(late);
  return code === 0;
}

let status = 'starting';
let failures = 0;
console.log(status);
for (;;) {
  await sleep(interval);
  failures = (await passes()) ? 0 : failures + 1;
  const now = failures === 0 ? 'healthy' : failures >= retries ? 'unhealthy' : status;
  if (now !== status) console.log(now);
  status = now;
}
