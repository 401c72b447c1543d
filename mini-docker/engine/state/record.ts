// What is known of a container, as it lies on disk: <data root>/containers/ID/config.json.

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
import type { VolumeFilesystem } from './volume-store.ts';

export interface ContainerRecord {
  version: 1;
  id: string;
  name: string;
  /** RFC 3339 */
  created: string;
  /** Why there is nothing to start it from: its record was lost, and this one says what could be found out. */
  broken?: string;
  /** The program and its arguments: Entrypoint and Cmd put together. */
  path: string;
  args: string[];
  /** The user's and the image's, merged. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  imageId: string;
  mounts: RecordMount[];
  /** By network name: what was asked for, and while it runs what it has. */
  networks: Record<string, EndpointSettings>;
  /** By network name: MAC addresses that the user asked for. Those in `networks` are what it has while it runs. */
  wantedMacs?: Record<string, string>;
  /** By network name: addresses that it had when it ran before, to have them again. */
  lastAddresses?: Record<string, { ipAddress?: string; ipv6Address?: string }>;
  /** Ports that are published while it runs. */
  ports?: PortMap;
  state: RecordState;
}

export interface RecordMount extends MountPoint {
  /** Of a bind: what lies mounted below the source stays out. */
  nonRecursive?: boolean;
  /** Of a read-only bind: what lies mounted below the source stays as it is. */
  writableBelow?: boolean;
  /** A source that is missing is an error, and not a directory to be made. */
  mustExist?: boolean;
  /** Of a tmpfs: mount options. */
  options?: string[];
  /** Of a volume: made for this container alone, and removed with it by `rm -v`. */
  anonymous?: boolean;
  /** Of a volume that is no directory: what is mounted in its place. */
  filesystem?: VolumeFilesystem;
  /** Of a volume: the image's files are not copied into it when it is empty. */
  noCopy?: boolean;
  /** Of a volume: what it is made with, where it is not there yet. */
  volume?: { labels?: Record<string, string>; options?: Record<string, string> };
}

/** Written by life/transitions.ts alone, but for what health.ts knows. */
export interface RecordState {
  readonly status: ContainerStatus;
  readonly pid: number;
  /** 255 with `exitUnknown`: the API has no word for a code that nobody saw. */
  readonly exitCode: number;
  readonly exitUnknown?: boolean;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** `stop` or `kill` by the user: unless-stopped and on-failure respect it. */
  readonly manuallyStopped: boolean;
  readonly startedBefore: boolean;
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
