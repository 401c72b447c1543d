// Gives memory back to the kernel while the process is idle. V8 collects garbage when it needs room, which is
// rare on a large machine: a daemon that has started 100 containers would keep 70 MB of garbage for as long
// as it is idle.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { call } from './call.ts';
import { MADV } from './constants.ts';
import { trimHeap } from './libc.ts';
import { madvise } from './syscalls.ts';

/** Milliseconds between two checks. */
const INTERVAL = 1000;
/** Microseconds of CPU time in one interval below which the process counts as idle, and as unused. */
const IDLE = 50_000;
const UNUSED = 10_000;
/** Consecutive idle intervals before a collection. An interval in which the process did next to nothing counts as ten. */
const PATIENCE = 30;
/** Microseconds of CPU time since the last collection that make another one worthwhile. */
const WORTH = 200_000;
/** At least this many times what the last one cost: 15 ms, but seconds on an emulated processor. */
const TIMES_ITS_COST = 20;

/** Starts a timer that does not keep the process alive. @returns a function that stops it */
export function giveMemoryBackWhenIdle(): () => void {
  setFlagsFromString('--expose-gc');
  // 'last-resort' also releases the pages that an ordinary collection keeps for later allocations.
  const collect: (options: object) => void = runInNewContext('gc');
  const restsAfter = waitForRest();
  let before = cpuTime();
  let last = 0;
  // A start leaves garbage, however little time it took.
  let worth = 0;
  const timer = setInterval(() => {
    const now = cpuTime();
    const isAtRest = restsAfter(now - before);
    before = now;
    if (!isAtRest || now - last < worth) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    trimHeap();
    unmapProgram();
    last = cpuTime();
    worth = Math.max(WORTH, TIMES_ITS_COST * (last - now));
    before = last;
  }, INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Tells when the process has come to rest, from the CPU time of one interval after another. A collection also forgets
 * compiled code, and the next start of a container takes 10 ms longer: a user who starts one each second should
 * rarely notice.
 */
export function waitForRest(): (microseconds: number) => boolean {
  let idle = 0;
  return microseconds => {
    if (microseconds >= IDLE) idle = 0;
    else idle += microseconds < UNUSED ? 10 : 1;
    if (idle < PATIENCE) return false;
    idle = 0;
    return true;
  };
}

let program: { address: number; length: number }[] | undefined;

/**
 * Unmaps the pages of Node's own code and constants, 45 MB of which the start has touched. They stay in the page cache, which
 * all processes share, and the few that are used again come back from there.
 */
function unmapProgram(): void {
  program ??= programMappings(readFileSync('/proc/self/smaps', 'latin1'), process.execPath);
  for (const { address, length } of program) call(madvise(address, length, MADV.DONTNEED));
}

/** Mappings of `file` that cannot be written and hold no page of their own, which would be lost. proc_pid_smaps(5) */
export function programMappings(smaps: string, file: string): { address: number; length: number }[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap(text => {
    const [, from, to, rights, path] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ +(.*)$/m.exec(text) ?? [];
    if (!/^r-[x-]p$/.test(rights ?? '') || path !== file || !/^Anonymous: +0 kB$/m.test(text)) return [];
    const address = Number.parseInt(from!, 16);
    return [{ address, length: Number.parseInt(to!, 16) - address }];
  });
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
