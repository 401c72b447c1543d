// Makes a race certain: clone() creates the child at once, and returns to the submission only when the check says so.
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStat } from '#linux';
import type { Running } from '../sandbox/capture.ts';
import type { Lab } from './lab.ts';

/**
 * Environment for a submission. Until the file exists, in the sandbox, the child runs and its parent does not: as on a
 * machine whose scheduler runs the child first.
 */
export function heldClone(file: string): Record<string, string> {
  const held = `
    export function clone(...args) {
      const pid = cloned(...args);
      const { existsSync } = process.getBuiltinModule('node:fs');
      while (!existsSync('${file}')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      return pid;
    }`;
  const hook = `
    import { registerHooks } from 'node:module';
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context);
        if (!url.endsWith('/mini-docker/linux/clone.ts')) return loaded;
        return { ...loaded, source: String(loaded.source).replace('export function clone(', 'function cloned(') + ${JSON.stringify(held)} };
      },
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
}

/**
 * Waits until the child of a submission whose clone() is held has begun its program, or waits for its parent.
 * @returns whether it has begun
 */
export async function childBegins(lab: Lab, running: Running): Promise<boolean> {
  const child = await lab.childOf(running);
  if (child === undefined) return false;
  for (;;) {
    const program = programOf(child);
    if (program === undefined || program !== programOf(running.pid)) return true;
    if (readStat(child)?.state === 'S') return false;
    await sleep(5);
  }
}

/** The path of a process's program on this machine. */
export function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}
