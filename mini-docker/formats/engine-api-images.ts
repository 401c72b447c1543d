// Images in the Docker Engine API.

import type { ContainerConfig } from './engine-api.ts';

/** An element of GET /images/json */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since 1970. */
  Created: number;
  Size: number;
  /** -1: not computed. */
  SharedSize: number;
  Labels: Record<string, string> | null;
  Containers: number;
}

/** GET /images/NAME/json */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  DockerVersion: string;
  Author: string;
  Config: ContainerConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  VirtualSize: number;
  GraphDriver: { Name: string; Data: Record<string, string> | null };
  RootFS: { Type: 'layers'; Layers: string[] };
  Metadata: { LastTagTime: string };
}

/** An element of GET /images/NAME/history */
export interface ImageHistoryItem {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** An element of DELETE /images/NAME's answer. */
export interface ImageDeleted {
  Untagged?: string;
  Deleted?: string;
}

export interface ImagesPruned {
  ImagesDeleted: ImageDeleted[] | null;
  SpaceReclaimed: number;
}
