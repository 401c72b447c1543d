import type { ContainerCreateBody } from '../../formats/engine-api/containers.ts';

/** What a client asks for with POST /containers/create. */
export interface CreateRequest {
  name?: string;
  platform?: string;
  body: ContainerCreateBody;
  /** Whether the client starts it at once: only that waits for the disk. */
  starts?: boolean;
}
