// Finds the owner of a container's network namespace: the container itself, or another one (`--net
// container:NAME`).
// A namespace lives as long as a process is in it, and needs no file to keep it. A container that others
// share keeps its namespace, links and addresses while they run, even when it has exited itself: when it
// starts again it joins them.

import { quietly } from '../../formats/quietly.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * Follows chains: a container may share with one that itself shares. @throws notFound when one of them was
 * removed
 */
export function networkOwner(context: EngineContext, record: ContainerRecord): ContainerRecord {
  const seen = new Set<string>();
  let owner = record;
  for (;;) {
    const reference = sharedWith(owner);
    if (reference === undefined || seen.has(owner.id)) return owner;
    seen.add(owner.id);
    owner = context.containers.get(reference).record;
  }
}

/** The owner; the container itself when it was removed. */
export function ownerOrSelf(context: EngineContext, record: ContainerRecord): ContainerRecord {
  return quietly(() => networkOwner(context, record)) ?? record;
}

const CONTAINER = 'container:';

/** The name or id after `container:`. */
export function sharedWith({ hostConfig }: ContainerRecord): string | undefined {
  const mode = hostConfig.NetworkMode ?? '';
  return mode.startsWith(CONTAINER) && mode !== CONTAINER ? mode.slice(CONTAINER.length) : undefined;
}

/** Other containers that are running in this one's network namespace. */
export function sharers(context: EngineContext, id: string): LiveContainer[] {
  return [...context.containers.referring].filter(({ run, record }) => {
    if (run === undefined || record.id === id || sharedWith(record) === undefined) return false;
    return quietly(() => networkOwner(context, record).id) === id;
  });
}

/** A process in the container's network namespace; undefined when it is empty. */
export function namespacePid(context: EngineContext, live: LiveContainer): number | undefined {
  return (live.run ?? sharers(context, live.id)[0]?.run)?.container.pid;
}
