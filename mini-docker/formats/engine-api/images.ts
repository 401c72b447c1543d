// Images in the Docker Engine API.

import type { ContainerConfig } from './containers.ts';

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

/** A line of the streams of pull, push, load and import. */
export interface ProgressMessage {
  /** The layer's short id, or the tag that is pulled. */
  id?: string;
  status?: string;
  /** Bytes; empty for a step that has no length. */
  progressDetail?: { current?: number; total?: number };
  /** progressDetail as a bar, for clients that draw none. */
  progress?: string;
  /** As it is to be printed. */
  stream?: string;
  aux?: { Tag?: string; Digest?: string; Size?: number };
  error?: string;
  errorDetail?: { message: string };
}

/** An element of GET /images/search */
export interface ImageFound {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

/** GET /distribution/NAME/json */
/** The name for which a registry's image is signed, and whether the signature policy accepts it. */
export interface ImageVerification {
  Digest: string;
  /** Where the requirements are. */
  Policy: string;
  Accepted: boolean;
  /** Why it is refused. */
  Reason?: string;
  /** For each signature the name that it gives to the image, and why it does not count. */
  Signatures: { Name?: string; Fault?: string }[];
}

export interface DistributionInspect {
  Descriptor: { mediaType: string; digest: string; size: number };
  Platforms: ImagePlatform[];
}

export interface ImagePlatform {
  architecture: string;
  os: string;
  variant?: string;
  'os.version'?: string;
}

/** GET /mini-docker/image-layers: not Docker's. */
export interface ImageLayers {
  Id: string;
  RepoTags: string[];
  /** Bytes of all layers' files, and bytes of those files that a layer above hides. */
  Size: number;
  Hidden: number;
  /** Bottom first. */
  Layers: ImageLayer[];
}

export interface ImageLayer {
  DiffId: string;
  Created: string;
  CreatedBy: string;
  /** Bytes of its files, and of those that a layer above hides. */
  Size: number;
  Hidden: number;
  Added: LayerChanges;
  Changed: LayerChanges;
  Deleted: LayerChanges;
}

export interface LayerChanges {
  /** Files and other things that are no directories. */
  Count: number;
  /** Bytes of added and changed files; for deleted files, the bytes that remain in the layers below. */
  Size: number;
  /** The largest files; for deletions, the top of each deleted tree. */
  Largest: { Path: string; Size: number }[];
}

/** GET /mini-docker/manifests */
export interface ManifestListInspect {
  Manifest: object;
  Images: {
    From: string;
    Descriptor: { mediaType: string; digest: string; size: number; platform: ImagePlatform };
  }[];
}
