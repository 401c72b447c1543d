// "live-restore": false: containers are stopped with the daemon, as dockerd stops them.

import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { endContainer, stopSignalOf } from './stop.ts';
import { stopAsked, stoppedWithDaemon } from './transitions.ts';

/** @param seconds after which a container is killed */
export async function stopAllContainers(context: EngineContext, seconds: number): Promise<void> {
  const running = [...context.containers].filter(live => live.isRunning);
  await Promise.all(
    running.map(live =>
      stop(context, live, seconds).catch(error =>
        context.warn(`container ${live.name}: ${(error as Error).message}`),
      ),
    ),
  );
}

async function stop(context: EngineContext, live: LiveContainer, timeout: number): Promise<void> {
  await endContainer(context, live, {
    signal: stopSignalOf(live),
    timeout,
    by: 'shutdown',
    asked: stopAsked,
  });
  if (live.removed) return;
  using held = await live.hold();
  stoppedWithDaemon(held);
  context.records.saveState(live.record);
}
