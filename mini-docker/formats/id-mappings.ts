// Ids of a user namespace and those of the host. user_namespaces(7), "User and group ID mappings"
import type { IdMapping } from './oci/runtime-spec.ts';

/** Whoever has no id on the other side looks like this. /proc/sys/kernel/overflowuid */
export const NOBODY = 65_534;

/** What an id of the container is on the host. */
export function hostId(mappings: readonly IdMapping[], id: number): number {
  const found = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return found === undefined ? NOBODY : found.hostID + id - found.containerID;
}

/** What an id of the host is in the container. */
export function containerId(mappings: readonly IdMapping[], id: number): number {
  return hostId(
    mappings.map(({ containerID, hostID, size }) => ({ containerID: hostID, hostID: containerID, size })),
    id,
  );
}
