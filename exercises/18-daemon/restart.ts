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

// TODO: when is it started again, and after which delay?
void [most, sleep, FIRST, STABLE];
process.exitCode = await run();
