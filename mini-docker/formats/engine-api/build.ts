// Builds in the Docker Engine API: the progress messages of POST /build, and the build cache.

import type { ProgressMessage } from './images.ts';

/** A line of the answer to POST /build. */
export type BuildMessage =
  | { stream: string }
  | { aux: { ID: string } }
  /** Progress of a pull. */
  | ProgressMessage
  | { step: StepMessage };

/** Ours alone. Steps of stages that are built side by side come as they happen. */
export interface StepMessage {
  /** Counted from 1, in the order of the Dockerfile. */
  number: number;
  total: number;
  state: 'started' | 'output' | 'cached' | 'done' | 'failed';
  /** The instruction, with its stage in front where it has a name. */
  text?: string;
  data?: string;
  stderr?: boolean;
  /** Duration in milliseconds. */
  took?: number;
}

/** An element of GET /system/df's BuildCache */
export interface BuildCacheItem {
  ID: string;
  Type: string;
  Description: string;
  InUse: boolean;
  Shared: boolean;
  /** Bytes. */
  Size: number;
  CreatedAt: string;
  LastUsedAt: string;
  UsageCount: number;
}

/** POST /build/prune */
export interface BuildPruned {
  CachesDeleted: string[];
  /** Bytes. */
  SpaceReclaimed: number;
}
