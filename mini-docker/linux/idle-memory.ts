// Gives memory back while nothing happens. V8 collects when it needs room, and on a large machine it rarely does: a daemon
// that has started 100 containers would keep 70 MB of garbage for as long as it has nothing to do.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from './libc.ts';

/** Milliseconds between looks. */
const INTERVAL = 1000;
/** Microseconds of CPU in such an interval below which the process counts as idle. */
const IDLE = 50_000;
/** Microseconds of CPU since the last time after which it is worth it: a collection takes some 15 ms itself. */
const WORTH = 200_000;

/** The timer does not keep the process alive. @returns stops it */
export function giveMemoryBackWhenIdle(): () => void {
  setFlagsFromString('--expose-gc');
  // 'last-resort' also gives the pages back that a common collection keeps for what comes next.
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
