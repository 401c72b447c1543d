// HEALTHCHECK and --health-*: a command that is run in the container again and again, and what its exit codes make of it.
// https://docs.docker.com/reference/dockerfile/#healthcheck

import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContainerHealth } from '../../formats/engine-api/containers.ts';
import type { HealthConfig } from '../../formats/oci/image-config.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer, Run } from '../state/live-container.ts';

/** Nanoseconds, as the API has them. */
const SECOND = 1e9;
const DEFAULTS = { Interval: 30 * SECOND, Timeout: 30 * SECOND, StartInterval: 5 * SECOND, Retries: 3 };
/** Results that inspect shows, and bytes of output of each. */
const KEPT_RESULTS = 5;
const KEPT_OUTPUT = 4096;

/** Milliseconds for output that is still on its way when the check has ended. */
const PATIENCE = 500;

type Result = ContainerHealth['Log'][number];

/** What has to be run, or undefined where nothing is to be checked. */
export function healthCommand(
  config: HealthConfig | undefined,
  shell: readonly string[],
): string[] | undefined {
  const [kind, ...args] = config?.Test ?? [];
  if (kind === 'CMD') return args;
  if (kind === 'CMD-SHELL') return [...shell, args[0] ?? ''];
  return undefined;
}

/** Checks for as long as this run lasts, in the background. */
export function watchHealth(context: EngineContext, live: LiveContainer, run: Run): void {
  const { config, state } = live.record;
  const command = healthCommand(config.Healthcheck, config.Shell ?? ['/bin/sh', '-c']);
  if (command === undefined) {
    delete state.health;
    return;
  }
  // One that an earlier daemon watched keeps what is known of it.
  if (run.startedAt > Date.now() - 1000 || state.health === undefined) {
    state.health = { Status: 'starting', FailingStreak: 0, Log: [] };
  }
  void check({ context, live, run, command }).catch(error =>
    context.warn(`container ${live.name}: its health check: ${(error as Error).message}`),
  );
}

interface Check {
  context: EngineContext;
  live: LiveContainer;
  run: Run;
  command: string[];
}

async function check(check: Check): Promise<void> {
  const { context, live, run } = check;
  const times = { ...DEFAULTS, StartPeriod: 0, ...positive(live.record.config.Healthcheck) };
  const lasts = () => live.run === run && !context.closing.aborted;
  let took = 0;
  for (;;) {
    const isStarting =
      live.record.state.health?.Status === 'starting' && Date.now() - run.startedAt < times.StartPeriod / 1e6;
    // As long as the last one took, at least: an image may want a check each nanosecond.
    const interval = Math.max(isStarting ? times.StartInterval : times.Interval, took);
    await pause(milliseconds(interval), undefined, { ref: false });
    if (!lasts()) return;
    if (live.record.state.status !== 'running') continue;
    const begun = performance.now();
    const result = await checkOnce(check, milliseconds(times.Timeout));
    took = (performance.now() - begun) * 1e6;
    if (!lasts()) return;
    const inStartPeriod = Date.now() - run.startedAt < times.StartPeriod / 1e6;
    note(check, result, { retries: times.Retries, inStartPeriod });
  }
}

/** A timer takes 2^31 - 1 at most, and what is more as nothing at all. */
export function milliseconds(nanoseconds: number): number {
  return Math.min(Math.max(nanoseconds / 1e6, 1), 2 ** 31 - 1);
}

/** Zero means the default, as in docker. */
function positive(config: HealthConfig = {}): Partial<Record<keyof typeof DEFAULTS | 'StartPeriod', number>> {
  const given = Object.entries(config).filter(
    ([key, value]) => key !== 'Test' && typeof value === 'number' && value > 0,
  );
  return Object.fromEntries(given);
}

async function checkOnce({ run, command }: Check, timeout: number): Promise<Result> {
  const Start = encodeTimestamp(nowNanoseconds());
  const finish = (ExitCode: number, Output: string): Result => ({
    Start,
    End: encodeTimestamp(nowNanoseconds()),
    ExitCode,
    Output,
  });
  const { consoleSize: _, ...own } = run.spec.process;
  let output = '';
  const late = new AbortController();
  const over = new AbortController();
  const runs = async (): Promise<Result> => {
    const execution = await run.container.exec({
      process: { ...own, args: command, terminal: false },
      stdin: false,
      signal: late.signal,
    });
    const streams = [execution.stdout, execution.stderr].filter(stream => stream !== undefined);
    for (const stream of streams) {
      stream.on('data', (data: Buffer) => {
        if (output.length < KEPT_OUTPUT) output = (output + data.toString()).slice(0, KEPT_OUTPUT);
      });
    }
    const { code } = await execution.exited;
    // What it left in the background may hold the other ends of its streams.
    const read = Promise.all(streams.map(stream => finished(stream).catch(() => {})));
    await Promise.race([
      read,
      pause(PATIENCE, undefined, { ref: false, signal: over.signal }).catch(() => {}),
    ]);
    for (const stream of streams) stream.destroy();
    return finish(code ?? -1, output);
  };
  // Counted here, whatever becomes of the program: the container can hold it up before it is one, and after its end.
  const tooLong = pause(timeout, undefined, { ref: false, signal: over.signal }).then(() => {
    late.abort();
    return finish(-1, `Health check exceeded timeout (${timeout} ms): ${output}`);
  });
  try {
    return await Promise.race([runs(), tooLong]);
  } catch (error) {
    return finish(-1, (error as Error).message);
  } finally {
    tooLong.catch(() => {});
    over.abort();
  }
}

function note(
  { context, live }: Check,
  result: Result,
  { retries, inStartPeriod }: { retries: number; inStartPeriod: boolean },
): void {
  const health = live.record.state.health!;
  const before = health.Status;
  health.Log = [...health.Log, result].slice(-KEPT_RESULTS);
  if (result.ExitCode === 0) {
    health.FailingStreak = 0;
    health.Status = 'healthy';
  } else if (before !== 'starting' || !inStartPeriod) {
    health.FailingStreak += 1;
    if (health.FailingStreak >= retries) health.Status = 'unhealthy';
  }
  context.records.saveLater(live.record);
  if (health.Status !== before) containerEvent(context, live, `health_status: ${health.Status}`);
}
