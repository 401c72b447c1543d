// A process in a cgroup, for a test to look at from outside.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Resources } from '../../mini-docker/formats/oci/runtime-spec.ts';
import type { Cgroup, GroupOptions } from '../../mini-docker/runtime/cgroups/cgroup.ts';
import { createCgroup } from '../../mini-docker/runtime/cgroups/create.ts';
import { readHierarchies } from '../../mini-docker/runtime/cgroups/hierarchies.ts';

const carried = fileURLToPath(import.meta.resolve('busybox-static/bin/busybox'));
export const busybox = process.arch === 'x64' && existsSync(carried) ? carried : '/bin/busybox';

export const version = readHierarchies().version;

export interface Inside {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

let count = 0;

/** A cgroup that goes away, with what is in it, at the end of the test. */
export function temporaryCgroup(
  resources: Resources = {},
  options: Pick<GroupOptions, 'sharesCpuset'> = {},
): Cgroup & AsyncDisposable {
  const path = `/mini-docker-promise-${process.pid}/${++count}`;
  const cgroup = createCgroup({ path, resources, ...options });
  return Object.assign(cgroup, {
    async [Symbol.asyncDispose]() {
      cgroup.kill();
      await cgroup.delete();
    },
  });
}

/** Runs busybox's sh on the script, in the cgroup from its first line on. */
export function runInside(cgroup: Cgroup, script: string): Inside {
  const child = spawn(busybox, ['sh', '-c', `read _\n${script}`], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  child.stderr.on('data', chunk => (output += chunk));
  // It may be killed before it reads.
  child.stdin.on('error', () => {});
  cgroup.join(child.pid!);
  child.stdin.end('\n');
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
  return { pid: child.pid!, child, ended };
}

/** A file of the cgroup by its name, wherever the hierarchy that has it is; undefined when none has. */
export function fileOf(cgroup: Cgroup, name: string): string | undefined {
  const file = cgroup.directories.map(directory => join(directory, name)).find(path => existsSync(path));
  return file === undefined ? undefined : readFileSync(file, 'utf8').trimEnd();
}

/** Waits until something can be seen from outside. */
export async function eventually(what: string, look: () => boolean, patience = 10_000): Promise<void> {
  for (const end = Date.now() + patience; !look(); ) {
    if (Date.now() > end) throw new Error(`not within ${patience} ms: ${what}`);
    await sleep(5);
  }
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
