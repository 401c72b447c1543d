// Volumes in the Docker Engine API: the bodies that clients send and get, under the API's own field names.
// https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Volume

import { anyObject, type Infer, map, nullable, object, string } from '../schema.ts';

/** POST /volumes/create */
export const volumeCreateBody = object({
  /** Missing or '': a new one, by 64 hexadecimal digits. */
  Name: string,
  Driver: string,
  /** Options of the driver local: type, device and o, as in mount(8). */
  DriverOpts: nullable(map(string)),
  Labels: nullable(map(string)),
  ClusterVolumeSpec: nullable(anyObject),
});
export type VolumeCreateBody = Infer<typeof volumeCreateBody>;

/** GET /volumes/NAME, and an element of GET /volumes */
export interface VolumeResource {
  CreatedAt: string;
  Driver: string;
  Labels: Record<string, string> | null;
  /** Where its files lie on the host. */
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: 'local';
  /** Only in GET /system/df. Size in bytes. */
  UsageData?: { RefCount: number; Size: number };
}

export interface VolumeList {
  Volumes: VolumeResource[];
  Warnings: string[] | null;
}

export interface VolumesPruned {
  VolumesDeleted: string[] | null;
  SpaceReclaimed: number;
}

/** Docker's label of unnamed volumes: without --all, `volume prune` removes only these. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
