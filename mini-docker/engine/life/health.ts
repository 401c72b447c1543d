// HEALTHCHECK and --health-*: runs a command in the container periodically, and derives a health status from
// its exit codes.
// https://docs.docker.com/reference/dockerfile/#healthcheck

import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeDuration } from '../../formats/durations.ts';
import type { ContainerHealth } from '../../formats/engine-api/containers.ts';
import type { HealthConfig } from '../../formats/oci/image-config.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer, Run } from '../state/live-container.ts';

/** Nanoseconds, the API's unit. */
const SECOND = 1e9;
const DEFAULTS = { Interval: 30 * SECOND, Timeout: 30 * SECOND, StartInterval: 5 * SECOND, Retries: 3 };
/** Results that inspect shows, and bytes of output that each keeps. */
const KEPT_RESULTS = 5;
const KEPT_OUTPUT = 4096;

/** Milliseconds that are allowed for remaining output after a check has exited. */
const PATIENCE = 500;

type Result = ContainerHealth['Log'][number];

/** The command to run; undefined when the container has no health check. */
export function healthCommand(
  config: HealthConfig | undefined,
  shell: readonly string[],
): string[] | undefined {
  const [kind, ...args] = config?.Test ?? [];
  if (kind === 'CMD') return args;
  if (kind === 'CMD-SHELL') return [...shell, args[0] ?? ''];
  return undefined;
}

/** Runs the checks in the background until this run ends. */
export function watchHealth(context: EngineContext, live: LiveContainer, run: Run): void {
  const { config, state } = live.record;
  const command = healthCommand(config.Healthcheck, config.Shell ?? ['/bin/sh', '-c']);
  if (command === undefined) {
    delete state.health;
    return;
  }
  // A check that an earlier daemon was running keeps its state.
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
    // At least as long as the last check took: an image may ask for a check every nanosecond.
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

/** Clamped for a timer, which takes at most 2^31 - 1 and treats larger values as 0. */
export function milliseconds(nanoseconds: number): number {
  return Math.min(Math.max(nanoseconds / 1e6, 1), 2 ** 31 - 1);
}

/** The values other than zero, which means the default, as in docker. */
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
    // Processes that the check left behind may hold the other ends of its streams.
    const read = Promise.all(streams.map(stream => finished(stream).catch(() => {})));
    await Promise.race([
      read,
      pause(PATIENCE, undefined, { ref: false, signal: over.signal }).catch(() => {}),
    ]);
    for (const stream of streams) stream.destroy();
    return finish(code ?? -1, output);
  };
  // The daemon counts the timeout: a container can stop the process before it executes the check, and after.
  const tooLong = pause(timeout, undefined, { ref: false, signal: over.signal }).then(() => {
    late.abort();
    const limit = encodeDuration(timeout * 1e6);
    return finish(-1, `Health check exceeded timeout (${limit})${output === '' ? '' : `: ${output}`}`);
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
  const { healthChecks } = context.measures;
  healthChecks.done += 1;
  if (result.ExitCode !== 0) healthChecks.failed += 1;
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
