// Whose network namespace a container is in: its own, or that of another (`--net container:NAME`).
//
// A namespace lives as long as somebody is in it, and needs no file to keep it. A container that others share keeps its
// namespace, links and addresses while they run, whether it runs itself or not: when it starts again it joins them.

import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';

/** Also over several: a container that shares with one that shares. @throws notFound when one of them was removed */
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

/** What follows `container:`. */
export function sharedWith({ hostConfig }: ContainerRecord): string | undefined {
  return /^container:(.+)$/.exec(hostConfig.NetworkMode ?? '')?.[1];
}

/** Other containers that run in this one's network namespace now. */
export function sharers(context: EngineContext, id: string): LiveContainer[] {
  return [...context.containers].filter(({ run, record }) => {
    if (run === undefined || record.id === id || sharedWith(record) === undefined) return false;
    try {
      return networkOwner(context, record).id === id;
    } catch {
      return false;
    }
  });
}

/** A process in the container's network namespace; undefined when there is none. */
export function namespacePid(context: EngineContext, live: LiveContainer): number | undefined {
  return (live.run ?? sharers(context, live.id)[0]?.run)?.container.pid;
}
