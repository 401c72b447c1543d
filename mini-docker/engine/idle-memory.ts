// V8 collects garbage when it wants room, not when there is time: after a hundred starts a daemon that has nothing to do
// would keep 30 MB that nobody uses. So when it has become quiet after some work, it collects once.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds. */
const INTERVAL = 2000;
/** Time on the processor, in microseconds: less in an interval is quiet, more since the last collection is work. */
const QUIET = 40_000;
const WORK = 200_000;

export function collectWhenQuiet(): Disposable {
  setFlagsFromString('--expose-gc');
  const collect: (options: { type: 'major'; flavor: 'last-resort' }) => void = runInNewContext('gc');
  let collectedAt = 0;
  let before = used();
  const timer = setInterval(() => {
    const now = used();
    const isQuiet = now - before < QUIET;
    before = now;
    if (!isQuiet || now - collectedAt < WORK) return;
    // 'last-resort' also gives pages back to the system. It takes some 50 ms.
    collect({ type: 'major', flavor: 'last-resort' });
    collectedAt = used();
    before = collectedAt;
  }, INTERVAL);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function used(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
