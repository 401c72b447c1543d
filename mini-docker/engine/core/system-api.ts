// Engine.system: what concerns the engine as a whole.

import type {
  DiskUsage,
  EventMessage,
  Filters,
  SystemInfo,
  SystemVersion,
} from '../../formats/engine-api/system.ts';
import type { View } from '../../formats/view.ts';

export interface ViewOptions {
  /** The container to read in depth; by default the first that runs. */
  container?: string;
  /** Milliseconds between two looks. */
  interval: number;
  signal: AbortSignal;
}

export interface SystemApi {
  /** Past events from `since` on (nanoseconds since 1970), then new ones until `until` or the signal. */
  events(options: {
    since?: bigint;
    until?: bigint;
    filters?: Filters;
    signal?: AbortSignal;
  }): AsyncIterable<EventMessage>;
  info(): Promise<SystemInfo>;
  /** How many containers run, the paused ones among them; cheap enough to be asked again and again. */
  running(): number;
  version(): SystemVersion;
  diskUsage(): Promise<DiskUsage>;
  /** Looks at the machine until the signal. notFound: there is no such container. */
  view(options: ViewOptions): AsyncIterable<View>;
  /** Counters and gauges in Prometheus' text format. */
  metrics(): Promise<string>;
  /** For the metrics: an answer of the API. */
  countRequest(method: string, status: number): void;
  /** Tells clients that the configuration was read again. */
  reloaded(): void;
}
