// The health of a box: a command that the keeper runs in it from time to time. The engine: mini-docker/engine/life/health.ts
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AT, call, clone, dup3, kill, mayFail, O, openat, PR, prctl, resultOf, SIG } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { environmentOf, inBox } from '../11-exec/exec.ts';
import type { HealthCheck, Spec } from '../12-stay/spec.ts';
import { withoutRights } from '../16-rights/rights.ts';

export interface Health {
  status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures one after another, until now. */
  failures: number;
}

/** One success makes it healthy; only several failures without a success between them make it unhealthy. */
export function after(health: Health, passed: boolean, retries: number): Health {
  if (passed) return { status: 'healthy', failures: 0 };
  const failures = health.failures + 1;
  return { status: failures >= retries ? 'unhealthy' : health.status, failures };
}

const fileOf = (name: string): string => `/tmp/box/containers/${name}/health.json`;

export const existsHealth = (name: string): boolean => existsSync(fileOf(name));

/** @throws Mistake if it is not checked, or has never run */
export function readHealth(name: string): Health {
  if (!existsSync(fileOf(name))) throw new Mistake(`nothing is known of the health of ${name}`);
  return JSON.parse(readFileSync(fileOf(name), 'utf8')) as Health;
}

function writeHealth(name: string, health: Health): void {
  writeFileSync(`${fileOf(name)}.new`, JSON.stringify(health));
  renameSync(`${fileOf(name)}.new`, fileOf(name));
}

/** Records at once that the box is starting, and checks it until it has ended. */
export function watchHealth(spec: Spec, check: HealthCheck, box: { pid: number; ended: AbortSignal }): void {
  let health: Health = { status: 'starting', failures: 0 };
  writeHealth(spec.name, health);
  const checking = async (): Promise<void> => {
    for (;;) {
      await sleep(check.interval, undefined, { signal: box.ended });
      const passed = await passes(spec, check, box.pid);
      if (box.ended.aborted) return;
      health = after(health, passed, check.retries);
      writeHealth(spec.name, health);
    }
  };
  // Its sleep was interrupted, or its box has just gone: there is nothing left to check.
  checking().catch(error => box.ended.aborted || console.error(`health: ${error.message}`));
}

async function passes(spec: Spec, check: HealthCheck, box: number): Promise<boolean> {
  const silence = openat(AT.FDCWD, '/dev/null', O.RDWR, 0);
  const pid = clone(
    0,
    inBox(box, [
      // When we end its parent, which stays outside, the command ends too.
      prctl(PR.SET_PDEATHSIG, SIG.KILL, 0, 0, 0),
      silence,
      ...[0, 1, 2].map(fd => dup3(resultOf(silence), fd, 0)),
      ...withoutRights(spec),
      ...program(check.command, environmentOf(box)),
    ]),
  );
  const late = setTimeout(() => call(mayFail(kill(pid, SIG.KILL), 'ESRCH')), check.timeout);
  const code = await statusOf(pid);
  clearTimeout(late);
  return code === 0;
}

/** '500ms', '2s' or '1m', in milliseconds; undefined if it is none of them. */
export function milliseconds(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * { ms: 1, s: 1000, m: 60_000 }[unit]!;
}
