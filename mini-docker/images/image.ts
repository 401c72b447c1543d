// What the engine sees of images. Implemented in store.ts.

import type { Descriptor, Platform } from '../formats/oci/image.ts';
import type { ImageConfig, ProcessDefaults } from '../formats/oci/image-config.ts';
import type { RegistryAuth } from '../formats/registry-auth.ts';

export interface Image {
  /** The digest of its configuration: 'sha256:…'. */
  id: string;
  /** 'busybox:latest': short names as the user writes them, docker.io/library left out. */
  repoTags: string[];
  repoDigests: string[];
  /** Sum of its layers' files, in bytes. */
  size: number;
  config: ImageConfig;
  /** Its manifest in the content store. */
  manifest: Descriptor;
  /** The id of the image that it was made from here, by build or commit. */
  readonly parent?: string | undefined;
}

/** A container that stands on an image, as far as removing the image is concerned. */
export interface ImageUser {
  containerId: string;
  running: boolean;
}

export interface RemoveOptions {
  force: boolean;
  /** By image id. */
  inUse: ReadonlyMap<string, readonly ImageUser[]>;
}

export interface RemovedImages {
  untagged: string[];
  /** Ids: the image's, and those of parents without a name that nothing else was made from. */
  deleted: string[];
  /** Digests of layers that went with them. */
  layers: string[];
}

/** For a progress bar: bytes done of all, of the layer (a digest) that `id` names. */
export interface ImageProgress {
  id?: string;
  /** In docker's words: 'Downloading', 'Pull complete', 'Loading layer', … */
  status: string;
  current?: number;
  total?: number;
}

export interface LoadedImage {
  id: string;
  /** In full; none for an image without a name. */
  names: string[];
}

export interface PulledImage {
  image: Image;
  /** What the tag stands for: of an index, where the registry has one. */
  digest: string;
  isUpToDate: boolean;
}

export interface PullImageOptions {
  /** 'os/architecture' */
  platform?: string;
  auth?: RegistryAuth;
  signal?: AbortSignal;
  onProgress?(progress: ImageProgress): void;
}

export interface PushImageOptions {
  auth?: RegistryAuth;
  signal?: AbortSignal;
  onProgress?(progress: ImageProgress): void;
}

export interface PushedImage {
  tag: string;
  digest: string;
  /** Of the manifest, in bytes. */
  size: number;
}

/** What a registry has under a name. */
export interface RemoteImage {
  /** Of the manifest or the index. */
  descriptor: Descriptor;
  /** For each platform the image's manifest. */
  images: (Descriptor & { platform: Platform })[];
}

export interface FoundImage {
  name: string;
  description: string;
  stars: number;
  official: boolean;
}

/** A draft of an index, which is kept here until it is pushed; each under the name that it will have. */
export interface ManifestLists {
  /** The images must be in the list's registry. Gives the list's name in full. Throws ImageError, RegistryError. */
  create(name: string, images: readonly string[], options?: ManifestListOptions): Promise<string>;
  /** Throws ImageError when there is none, or when the image is not in it. */
  annotate(name: string, image: string, changes: Partial<Platform>): Promise<void>;
  /** A draft, or what the registry has under the name. Throws RegistryError. */
  inspect(name: string, options?: { auth?: RegistryAuth }): Promise<ManifestListView>;
  /** Gives the digest of the index. Throws ImageError, RegistryError. */
  push(name: string, options?: { auth?: RegistryAuth; purge?: boolean }): Promise<string>;
  /** Throws ImageError. */
  remove(name: string): Promise<void>;
}

export interface ManifestListOptions {
  auth?: RegistryAuth;
  /** Add to a list that is there. */
  amend?: boolean;
}

export interface ManifestListView {
  /** The manifest or index as JSON. */
  manifest: object;
  /** `from`: where the image is, in full. */
  images: { from: string; descriptor: Descriptor & { platform: Platform } }[];
}

/** One line of an image's history, the newest first. */
export interface HistoryLine {
  /** The image's id, where the line is its last; undefined below. */
  id?: string;
  created?: string;
  createdBy: string;
  comment: string;
  /** Bytes of its layer's files; 0 when it has none. */
  size: number;
  diffId?: string;
}

export interface ImageStore {
  /** The names of its images were lost with the file that held them. */
  namesLost: boolean;
  /** By reference, by id with or without 'sha256:', or by an unambiguous prefix of it. Throws ImageError. */
  get(reference: string): Promise<Image>;
  list(): Promise<Image[]>;
  /** Throws FormatError. A tag that another image has moves to this one. */
  tag(image: Image, reference: string): Promise<void>;
  /**
   * Removes a tag, and the image with its last one; by id, the image with its only name. Throws ImageError and
   * ImageError, under docker's rules. With `force` an image that a stopped container needs only loses its names.
   */
  remove(reference: string, options: RemoveOptions): Promise<RemovedImages>;
  /** The unpacked layers' directories, topmost first: overlay's lowerdir order. Unpacks what is not yet. */
  lowerdirs(image: Image): Promise<string[]>;
  /** What made the image, the newest first. */
  history(image: Image): HistoryLine[];
  /** A tar for `load`, here, in docker, podman or skopeo. Throws ImageError before the first piece. */
  save(references: readonly string[]): AsyncIterable<Uint8Array>;
  /** Takes the images of an archive in. Throws ImageError. */
  load(
    source: AsyncIterable<Uint8Array>,
    onProgress?: (progress: ImageProgress) => void,
  ): Promise<LoadedImage[]>;
  /** Makes an image of one layer out of a file system's tar (plain or compressed). Throws ImageError. */
  import(options: ImportOptions): Promise<Image>;
  /** Layers of a build, which no image has yet. */
  loose: LooseLayers;
  /** Makes an image out of another one, or of none, and one more layer, or none: commit. */
  create(options: CreateImageOptions): Promise<Image>;
  /**
   * Fetches an image from its registry. Without tag and digest it is 'latest'. Throws RegistryError (unknown, denied,
   * no network; with the HTTP status), ImageError, FormatError.
   */
  pull(reference: string, options?: PullImageOptions): Promise<PulledImage>;
  /** The tags that the registry has: for `pull --all-tags`. */
  remoteTags(reference: string, options?: PushImageOptions): Promise<string[]>;
  /** Sends an image to the registry that its name names. Throws ImageError, RegistryError. */
  push(reference: string, options?: PushImageOptions): Promise<PushedImage>;
  /** Whether the registry takes this user: for `login`. Throws RegistryError. */
  login(auth: RegistryAuth): Promise<void>;
  /** Throws RegistryError. */
  describeRemote(reference: string, options?: PushImageOptions): Promise<RemoteImage>;
  /** `term`: 'redis', 'localhost:5000/redis'. Throws RegistryError. */
  search(term: string, options: PushImageOptions & { limit: number }): Promise<FoundImage[]>;
  manifestLists: ManifestLists;
  /** Makes the image that comes with the program anew after it was removed; undefined when `reference` is not its name. */
  restoreEmbedded(reference: string): Promise<Image | undefined>;
}

export interface ImportOptions {
  source: AsyncIterable<Uint8Array>;
  reference?: string;
  message?: string;
  config?: ProcessDefaults;
  platform?: string;
}

export interface CreateImageOptions {
  /** undefined: from scratch. */
  base?: Image;
  /** The layer's tar, not compressed, with whiteouts as the image specification has them: what pack() makes. */
  layer?: AsyncIterable<Uint8Array>;
  /** In place of the base's; missing fields are not inherited. */
  config?: ProcessDefaults;
  author?: string;
  /** RFC 3339. */
  created: string;
  /** Of the history's new line. */
  createdBy: string;
  comment?: string;
  references?: readonly string[];
  /** Its layer's files are unpacked by the first call of lowerdirs(). */
  unpackLater?: boolean;
}

/** A layer that no image has to have: its tar, not compressed, is in the content store, and it is unpacked. */
export interface LooseLayer {
  diffId: string;
  /** Of the tar, in bytes. */
  size: number;
}

export interface LooseLayers {
  /** Nothing that `hold` was given is collected before `work` is done. What nobody needs then goes. */
  holding<T>(work: (hold: (digest: string) => void) => Promise<T>): Promise<T>;
  /** Stores and unpacks what pack() makes. Throws ImageError. */
  add(tar: AsyncIterable<Uint8Array>, hold: (digest: string) => void): Promise<LooseLayer>;
  /** undefined when it is not there any more, or not whole. */
  find(diffId: string): LooseLayer | undefined;
  /** Where its files are. */
  directory(diffId: string): string;
  /** Bytes of its files. */
  filesSize(diffId: string): number;
  /** What `digests` names stays, though no image needs it. */
  keep(digests: () => Iterable<string>): void;
  /** Removes those that nobody needs. */
  collect(digests: Iterable<string>): Promise<string[]>;
  /** An image out of loose layers on top of another image, or of none. Throws ImageError, FormatError. */
  assemble(options: AssembleOptions): Promise<Image>;
}

export interface AssembleOptions {
  base?: Image;
  /** From the bottom, those of the base left out. */
  layers: readonly LooseLayer[];
  /** The whole of it: with the diff ids and the history of the base. */
  config: ImageConfig;
  references: readonly string[];
}
