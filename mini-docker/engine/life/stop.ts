// Ends a container's program: stop, kill, restart.

import { conflict, internal, notModified } from '../../formats/errors.ts';
import { SIG } from '../../linux/constants.ts';
import type { StopOptions } from '../core/engine.ts';
import { noSuchContainer, notRunning } from '../core/errors.ts';
import { signalNumber } from '../core/signals.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { Held, LiveContainer, Run } from '../state/live-container.ts';
import type { AskedSignal } from '../state/record.ts';
import { handleExit } from './exit.ts';
import { hasPolicy } from './restart-policy.ts';
import { startRun } from './start.ts';
import {
  cancelRestart,
  restartAsked,
  restartFailed,
  signalAsked,
  startAsked,
  stopAsked,
} from './transitions.ts';

/** Seconds between the stop signal and SIGKILL, if neither the container nor the request sets it. */
const DEFAULT_TIMEOUT = 10;
/**
 * Milliseconds that a killed program may take to exit before it counts as stuck in an uninterruptible
 * wait.
 */
const KILL_PATIENCE = 10_000;

export async function stopContainer(
  context: EngineContext,
  live: LiveContainer,
  options: StopOptions,
): Promise<void> {
  if (!live.isRunning) throw notModified(`container ${live.name} is not running`);
  await endContainer(context, live, { ...endOptions(live, options), by: 'stop', asked: stopAsked });
  context.records.saveState(live.record);
  containerEvent(context, live, 'stop');
  if (hasPolicy(live.record)) await context.records.settled(live.id);
}

export async function restartContainer(
  context: EngineContext,
  live: LiveContainer,
  options: StopOptions,
): Promise<void> {
  if (live.isRunning && !live.removing) {
    try {
      await endContainer(context, live, { ...endOptions(live, options), by: 'restart', asked: restartAsked });
    } catch (error) {
      using held = await live.hold();
      restartFailed(held);
      throw error;
    }
  }
  using held = await live.hold();
  if (live.removed) throw noSuchContainer(live.name);
  if (live.removing) throw conflict(`container ${live.name} is marked for removal`);
  startAsked(held);
  if (live.run === undefined) await startRun(context, held, handleExit);
  containerEvent(context, live, 'restart');
}

/** @throws conflict when it is not running; badParameter when `signal` is not a signal */
export async function killContainer(
  context: EngineContext,
  live: LiveContainer,
  text: string | undefined,
): Promise<void> {
  const signal = text ? signalNumber(text) : SIG.KILL;
  if (!live.isRunning) throw notRunning(live.id);
  {
    using held = await live.hold();
    if (signal === SIG.KILL || signal === stopSignalOf(live)) stopAsked(held);
    // It waits for a restart: there is no process now, and none will follow.
    if (live.run === undefined && live.record.state.manuallyStopped) return endWaiting(context, held);
    send(context, held, { signal, by: 'kill' });
    // A frozen process dies only after it is thawed.
    if (signal === SIG.KILL && live.record.state.status === 'paused') await live.run?.container.resume();
  }
  if (signal !== SIG.KILL) return;
  await exitOf(live, KILL_PATIENCE);
  // Or else the next daemon would start it by its policy.
  if (!live.removed) context.records.saveState(live.record);
}

interface EndOptions {
  signal: number;
  /** Seconds until SIGKILL, negative for ever. */
  timeout: number;
  by: AskedSignal['by'];
  /** Records the reason, before the exit can be observed. */
  asked(held: Held): void;
}

/** Ends the program, and resolves when its exit has been handled. A pending restart is cancelled. */
export async function endContainer(
  context: EngineContext,
  live: LiveContainer,
  { signal, timeout, by, asked }: EndOptions,
): Promise<void> {
  let run: Run;
  {
    using held = await live.hold();
    asked(held);
    if (live.run === undefined) return endWaiting(context, held);
    if (live.record.state.status === 'paused') await live.run.container.resume();
    run = live.run;
    send(context, held, { signal, by });
  }
  if (signal !== SIG.KILL && !(await exitOf(live, timeout < 0 ? undefined : timeout * 1000))) {
    using held = await live.hold();
    // Its policy may have started it again since.
    if (live.run === run) send(context, held, { signal: SIG.KILL, by });
  }
  if (!(await exitOf(live, KILL_PATIENCE))) {
    throw internal(
      `cannot stop container ${live.name}: its process ${live.record.state.pid} did not end ${KILL_PATIENCE / 1000} s after SIGKILL`,
    );
  }
}

function send(context: EngineContext, held: Held, what: Omit<AskedSignal, 'at'>): void {
  const { live } = held;
  signalAsked(held, what);
  live.run?.container.kill(what.signal);
  containerEvent(context, live, 'kill', { signal: String(what.signal) });
  context.records.saveLater(live.record);
}

/** Cancels its pending restart. */
function endWaiting(context: EngineContext, held: Held): void {
  const { live } = held;
  if (!cancelRestart(held)) return;
  context.records.saveState(live.record);
  live.tellExit();
}

/** True when the present run has ended, false on timeout. */
export function exitOf(live: LiveContainer, milliseconds: number | undefined): Promise<boolean> {
  if (live.run === undefined) return Promise.resolve(true);
  return new Promise(resolve => {
    const timer =
      milliseconds === undefined
        ? undefined
        : setTimeout(() => {
            waiting.stop();
            resolve(false);
          }, milliseconds);
    const waiting = live.onNextExit(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function endOptions(live: LiveContainer, options: StopOptions): { signal: number; timeout: number } {
  const { StopTimeout } = live.record.config;
  return {
    signal: options.signal ? signalNumber(options.signal) : stopSignalOf(live),
    timeout: options.timeout ?? StopTimeout ?? DEFAULT_TIMEOUT,
  };
}

export function stopSignalOf(live: LiveContainer): number {
  const { StopSignal } = live.record.config;
  return StopSignal ? signalNumber(StopSignal) : SIG.TERM;
}
