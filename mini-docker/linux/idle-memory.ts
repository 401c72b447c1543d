// Gives memory back to the kernel while the process is idle. V8 collects garbage when it needs room, which is
// rare on a large machine: a daemon that has started 100 containers would keep 70 MB of garbage for as long
// as it is idle.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from './libc.ts';

/** Milliseconds between two checks. */
const INTERVAL = 1000;
/** Microseconds of CPU time in one interval below which the process counts as idle. */
const IDLE = 50_000;
/**
 * Microseconds of CPU time since the last collection that make another one worthwhile: it takes some 15 ms
 * itself.
 */
const WORTH = 200_000;

/** Starts a timer that does not keep the process alive. @returns a function that stops it */
export function giveMemoryBackWhenIdle(): () => void {
  setFlagsFromString('--expose-gc');
  // 'last-resort' also releases the pages that an ordinary collection keeps for later allocations.
  const collect: (options: object) => void = runInNewContext('gc');
  let before = cpuTime();
  let last = 0;
  const timer = setInterval(() => {
    const now = cpuTime();
    const isIdle = now - before < IDLE;
    before = now;
    if (!isIdle || now - last < WORTH) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trimHeap();
    last = cpuTime();
    before = last;
  }, INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
