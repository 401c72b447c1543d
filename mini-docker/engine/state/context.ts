// The objects that every room of the engine shares.

import type { ContainerDefaults, Reloadable } from '../../daemon/options.ts';
import type { ImageStore } from '../../images/image.ts';
import type { Networks } from '../../network/network.ts';
import type { Runtime } from '../../runtime/container.ts';
import type { Deletions } from '../core/deletions.ts';
import type { Events } from '../core/events.ts';
import type { HostFacts } from '../core/host-facts.ts';
import type { Measures } from '../core/measures.ts';
import type { DataPaths } from '../core/paths.ts';
import type { ContainerSet } from './container-set.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { VolumeStore } from './volume-store.ts';

export interface EngineContext {
  /** What a container gets whose client says nothing about it. */
  defaults: ContainerDefaults;
  /** Settings that change while the daemon runs. */
  settings: Reloadable;
  paths: DataPaths;
  facts: HostFacts;
  images: ImageStore;
  networks: Networks;
  runtime: Runtime;
  containers: ContainerSet;
  events: Events;
  measures: Measures;
  deletions: Deletions;
  records: RecordKeeper;
  volumes: VolumeStore;
  /** Logs a failure that no client is told of. */
  warn(message: string): void;
  /**
   * The same, also kept for GET /info until the daemon ends: files on disk that cannot be read or
   * deleted.
   */
  tell(trouble: string): void;
  troubles(): string[];
  /** Aborted when the engine closes: containers keep running, and all waits end. */
  closing: AbortSignal;
}
