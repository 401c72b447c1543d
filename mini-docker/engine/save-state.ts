import type { EngineContext } from './context.ts';
import type { ContainerRecord } from './record.ts';
import { saveRecord } from './record-file.ts';

/**
 * Saves what happened to a container. A full disk must not keep a container from being stopped: it is told in the log,
 * and the next change saves all of it. A killed daemon's successor learns from the runtime what was not saved.
 */
export function saveState(context: EngineContext, record: ContainerRecord): void {
  try {
    saveRecord(context.paths, record, { durable: false });
  } catch (error) {
    context.warn(`cannot save the state of container ${record.name}: ${(error as Error).message}`);
  }
}
