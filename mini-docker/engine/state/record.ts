// The record of a container, as it is stored on disk: <data root>/containers/ID/config.json.

import type {
  ContainerConfig,
  ContainerHealth,
  ContainerStatus,
  EndpointSettings,
  HostConfig,
  MountPoint,
  PortMap,
} from '../../formats/engine-api/containers.ts';
import { NEVER_TIME } from '../../formats/timestamp.ts';
import type { OomKill } from '../../runtime/container.ts';
import type { VolumeFilesystem } from './volume-store.ts';

export interface ContainerRecord {
  version: 1;
  id: string;
  name: string;
  /** RFC 3339 */
  created: string;
  /** Why it cannot be started: its record was lost, and this one was rebuilt from other sources. */
  broken?: string;
  /** The program and its arguments: Entrypoint and Cmd joined. */
  path: string;
  args: string[];
  /** The user's configuration merged with the image's. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  imageId: string;
  mounts: RecordMount[];
  /** Settings by network name: the requested ones, and while it runs the assigned ones. */
  networks: Record<string, EndpointSettings>;
  /** MAC addresses that the user chose, by network name. `networks` has those in use while it runs. */
  wantedMacs?: Record<string, string>;
  /** Addresses of the previous run by network name, to be reused. */
  lastAddresses?: Record<string, { ipAddress?: string; ipv6Address?: string }>;
  /** Ports that are published while it runs. */
  ports?: PortMap;
  state: RecordState;
}

export interface RecordMount extends MountPoint {
  /** For a bind: leave out mounts below the source. */
  nonRecursive?: boolean;
  /** For a read-only bind: mounts below the source stay writable. */
  writableBelow?: boolean;
  /** Fail if the source is missing, rather than make a directory. */
  mustExist?: boolean;
  /** Mount options of a tmpfs. */
  options?: string[];
  /** For a volume: created for this container alone, and removed with it by `rm -v`. */
  anonymous?: boolean;
  /** The filesystem to mount, for a volume that is not a directory. */
  filesystem?: VolumeFilesystem;
  /** For a volume or an image: the file or directory in it that is mounted. */
  subpath?: string;
  /** For a volume: do not copy the image's files into it when it is empty. */
  noCopy?: boolean;
  /** Labels and options to create the volume with, if it does not exist. */
  volume?: { labels?: Record<string, string>; options?: Record<string, string> };
}

export interface AskedSignal {
  /** The command, or the API call of the same name. */
  by: 'stop' | 'kill' | 'restart' | 'rm' | 'shutdown';
  signal: number;
  /** RFC 3339 */
  at: string;
}

export interface NotedOomKill extends OomKill {
  at: string;
}

export interface PastEnd {
  /** RFC 3339 */
  startedAt: string;
  finishedAt: string;
  exitCode: number;
}

/** Only life/transitions.ts writes it, except for the health, which health.ts writes. */
export interface RecordState {
  readonly status: ContainerStatus;
  readonly pid: number;
  /** 255 with `exitUnknown`: the API has no value for an unknown code. */
  readonly exitCode: number;
  readonly exitUnknown?: boolean;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** Whether the user stopped or killed it: unless-stopped and on-failure then do not restart it. */
  readonly manuallyStopped: boolean;
  readonly startedBefore: boolean;
  /** The signal that ended its process 1 at its latest end. */
  readonly exitSignal?: number;
  /** Signals that users asked for in its latest run; the last eight. */
  readonly asked?: readonly AskedSignal[];
  /** The kernel's latest kill for lack of memory in its latest run. */
  readonly oomKill?: NotedOomKill;
  /** Its last five ends since a user started it, those before a restart by its policy included. */
  readonly ends?: readonly PastEnd[];
  health?: ContainerHealth;
}

export const CREATED: RecordState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: NEVER_TIME,
  finishedAt: NEVER_TIME,
  restartCount: 0,
  manuallyStopped: false,
  startedBefore: false,
};
