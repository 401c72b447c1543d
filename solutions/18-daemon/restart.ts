// Runs a command again when it fails.   Run: node restart.ts MOST COMMAND…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const [most = '', command = '', ...words] = process.argv.slice(2);
/** Milliseconds: the first delay, and the length of a run that was not broken. */
const [FIRST, STABLE] = [100, 1000];

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

/** @returns its exit code */
async function run(): Promise<number> {
  const child = spawn(command, words, { stdio: 'inherit' });
  const passOn = (): void => void child.kill('SIGTERM');
  process.on('SIGTERM', passOn);
  const [code] = await once(child, 'exit');
  process.off('SIGTERM', passOn);
  return code ?? 255;
}

let delay = FIRST;
for (let restarts = 0; !stop.signal.aborted; restarts++) {
  const began = Date.now();
  process.exitCode = await run();
  if (process.exitCode === 0 || restarts === Number(most)) break;
  if (Date.now() - began >= STABLE) delay = FIRST;
  await sleep(delay, undefined, { signal: stop.signal }).catch(() => {});
  delay *= 2;
}
