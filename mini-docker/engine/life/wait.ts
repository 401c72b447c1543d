// POST /containers/ID/wait

import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import type { WaitOptions } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';
import type { ExitStatus, LiveContainer } from '../state/live-container.ts';

/** Misses no exit that happens after it returns. */
export function waitFor(
  context: EngineContext,
  live: LiveContainer,
  options: WaitOptions,
): { result: Promise<ContainerWaited> } {
  const { condition = 'not-running', signal } = options;
  const { status } = live.record.state;
  const isOver = status !== 'running' && status !== 'paused' && status !== 'restarting';
  if (condition === 'not-running' && isOver) return { result: Promise.resolve(waited(live.exitStatus)) };
  const { promise, resolve, reject } = Promise.withResolvers<ContainerWaited>();
  const tell = (exit: ExitStatus) => resolve(waited(exit));
  const waiting = condition === 'removed' ? live.onRemoval(tell) : live.onNextExit(tell);
  const stops = [context.closing, ...(signal ? [signal] : [])];
  const abort = () => reject(new DOMException('the client has disconnected', 'AbortError'));
  for (const stop of stops) stop.addEventListener('abort', abort);
  if (stops.some(stop => stop.aborted)) abort();
  const result = promise.finally(() => {
    waiting.stop();
    for (const stop of stops) stop.removeEventListener('abort', abort);
  });
  // A rejection is expected when the client disconnects before the result is awaited.
  result.catch(() => {});
  return { result };
}

function waited({ exitCode, error }: ExitStatus): ContainerWaited {
  return { StatusCode: exitCode, ...(error === '' ? {} : { Error: { Message: error } }) };
}
