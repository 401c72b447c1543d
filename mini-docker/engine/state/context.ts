// What every part of the engine works with.

import type { ImageStore } from '../../images/image.ts';
import type { Networks } from '../../network/network.ts';
import type { Runtime } from '../../runtime/container.ts';
import type { Deletions } from '../core/deletions.ts';
import type { Events } from '../core/events.ts';
import type { HostFacts } from '../core/host-facts.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerSet } from './container-set.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { VolumeStore } from './volume-store.ts';

export interface EngineContext {
  paths: DataPaths;
  facts: HostFacts;
  images: ImageStore;
  networks: Networks;
  runtime: Runtime;
  containers: ContainerSet;
  events: Events;
  deletions: Deletions;
  records: RecordKeeper;
  volumes: VolumeStore;
  /** A line for the daemon's log: something went wrong that no client is told of. */
  warn(message: string): void;
  /** The same, and for GET /info until the daemon ends: what of the disk cannot be read or cleaned. */
  tell(trouble: string): void;
  troubles(): string[];
  /** Aborted when the engine closes: containers go on, nobody waits for them any more. */
  closing: AbortSignal;
}
