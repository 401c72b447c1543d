// Ids of a user namespace and those of the host. user_namespaces(7), "User and group ID mappings"
import type { IdMapping } from './oci/runtime-spec.ts';

/** An id without a counterpart on the other side appears as this one. /proc/sys/kernel/overflowuid */
export const NOBODY = 65_534;

/** The host's id for an id of the container. */
export function hostId(mappings: readonly IdMapping[], id: number): number {
  const found = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return found === undefined ? NOBODY : found.hostID + id - found.containerID;
}

/** The container's id for an id of the host. */
export function containerId(mappings: readonly IdMapping[], id: number): number {
  return hostId(
    mappings.map(({ containerID, hostID, size }) => ({ containerID: hostID, hostID: containerID, size })),
    id,
  );
}
