// The image store's interface to the engine. store.ts implements it.

import type { Descriptor, Platform } from '../formats/oci/image.ts';
import type { ImageConfig, ProcessDefaults } from '../formats/oci/image-config.ts';
import type { RegistryAuth } from '../formats/registry-auth.ts';

export interface Image {
  /** The digest of its configuration: 'sha256:…'. */
  id: string;
  /** Short names as the user writes them, without docker.io/library: 'busybox:latest'. */
  repoTags: string[];
  repoDigests: string[];
  /** Bytes of all its layers' files. */
  size: number;
  config: ImageConfig;
  /** Its manifest in the content store. */
  manifest: Descriptor;
  /** The id of the image that this one was built or committed from. */
  readonly parent?: string | undefined;
  /** Time of its latest tag, RFC 3339; undefined when it never had one. */
  readonly lastTagged?: string | undefined;
}

/** A container of an image, as far as it affects the image's removal. */
export interface ImageUser {
  containerId: string;
  running: boolean;
}

export interface RemoveOptions {
  force: boolean;
  /** Containers by image id. */
  inUse: ReadonlyMap<string, readonly ImageUser[]>;
}

export interface RemovedImages {
  untagged: string[];
  /** Ids: the image's, and those of its unnamed parents without other children. */
  deleted: string[];
  /** Digests of the layers that were removed with them. */
  layers: string[];
}

/** Progress for a bar: bytes done, and total bytes, of the layer (a digest) that `id` names. */
export interface ImageProgress {
  id?: string;
  /** Docker's words: 'Downloading', 'Pull complete', 'Loading layer', … */
  status: string;
  current?: number;
  total?: number;
}

export interface LoadedImage {
  id: string;
  /** Full names; none for an unnamed image. */
  names: string[];
  /** Images that had these names before. */
  replaced: { name: string; id: string }[];
}

export interface PulledImage {
  image: Image;
  /** Digest of the tag: the index's, if the registry has one. */
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
  /** Size of the manifest in bytes. */
  size: number;
}

/** A registry's entry for a name. */
export interface RemoteImage {
  /** Descriptor of the manifest or the index. */
  descriptor: Descriptor;
  /** The image's manifest for each platform. */
  images: (Descriptor & { platform: Platform })[];
}

export interface ExaminedImage {
  digest: string;
  /** Where the requirements are. */
  place: string;
  /** Why it is refused; undefined: it is accepted. */
  fault?: string;
  /** For each signature the name that it gives to the image, and why it does not count. */
  verdicts: { signedName?: string; fault?: string }[];
}

export interface FoundImage {
  name: string;
  description: string;
  stars: number;
  official: boolean;
}

/** Drafts of image indexes, which are kept locally until they are pushed, each under its future name. */
export interface ManifestLists {
  /**
   * The images must be in the list's registry. @returns the list's full name. @throws ImageError,
   * RegistryError when one is missing
   */
  create(name: string, images: readonly string[], options?: ManifestListOptions): Promise<string>;
  /** @throws ImageError when there is no draft, or the image is not in it */
  annotate(name: string, image: string, changes: Partial<Platform>): Promise<void>;
  /** A draft, or the registry's index of that name. @throws RegistryError when neither exists */
  inspect(name: string, options?: { auth?: RegistryAuth }): Promise<ManifestListView>;
  /** @returns the digest of the index. @throws ImageError, RegistryError when it cannot be pushed */
  push(name: string, options?: { auth?: RegistryAuth; purge?: boolean }): Promise<string>;
  /** @throws ImageError when there is no draft */
  remove(name: string): Promise<void>;
}

export interface ManifestListOptions {
  auth?: RegistryAuth;
  /** Add to an existing list. */
  amend?: boolean;
}

export interface ManifestListView {
  /** The manifest or index as JSON. */
  manifest: object;
  /** `from`: full name of the image. */
  images: { from: string; descriptor: Descriptor & { platform: Platform } }[];
}

/** A line of an image's history, newest first. */
export interface HistoryLine {
  /** The image's id in the topmost line; undefined in the others. */
  id?: string;
  created?: string;
  createdBy: string;
  comment: string;
  /** Bytes of its layer's files; 0 without a layer. */
  size: number;
  diffId?: string;
}

export interface ImageStore {
  /** Whether the images' names were lost with the file that held them. */
  namesLost: boolean;
  /**
   * Finds by reference, by id with or without 'sha256:', or by an unambiguous prefix of it. @throws
   * ImageError when none matches
   */
  get(reference: string): Promise<Image>;
  list(): Promise<Image[]>;
  /** Adds a name. A tag that another image has moves to this one. @throws FormatError when it is invalid */
  tag(image: Image, reference: string): Promise<void>;
  /**
   * Removes a tag, and the image with its last one; or, by id, an image with a single name. With `force`, an
   * image that a stopped container needs only loses its names.
   * @throws ImageError when docker's rules forbid it
   */
  remove(reference: string, options: RemoveOptions): Promise<RemovedImages>;
  /** The unpacked layers' directories, topmost first: overlay's lowerdir order. Unpacks missing ones. */
  lowerdirs(image: Image): Promise<string[]>;
  /** The steps that made the image, newest first. */
  history(image: Image): HistoryLine[];
  /**
   * A tar for `load`, here and in docker, podman and skopeo. @throws ImageError before the first piece, when
   * an image is missing
   */
  save(references: readonly string[]): AsyncIterable<Uint8Array>;
  /** Loads the images of an archive. @throws ImageError when it is not an archive of images */
  load(
    source: AsyncIterable<Uint8Array>,
    onProgress?: (progress: ImageProgress) => void,
  ): Promise<LoadedImage[]>;
  /**
   * Makes an image with one layer from a file system's tar (plain or compressed). @throws ImageError when the
   * tar is invalid
   */
  import(options: ImportOptions): Promise<Image>;
  /** Layers of a build, which no image has yet. */
  loose: LooseLayers;
  /** Removes what a killed daemon was bringing or removing. Call it once, when the layers that a build cache keeps are known. */
  collectInterrupted(): Promise<void>;
  /** Makes an image from another one, or from nothing, with at most one more layer: commit. */
  create(options: CreateImageOptions): Promise<Image>;
  /**
   * Fetches an image from its registry. The default tag is 'latest'.
   * @throws RegistryError when it is unknown, denied or unreachable (with the HTTP status); ImageError,
   * FormatError when it is invalid
   */
  pull(reference: string, options?: PullImageOptions): Promise<PulledImage>;
  /** The registry's tags, for `pull --all-tags`. */
  remoteTags(reference: string, options?: PushImageOptions): Promise<string[]>;
  /**
   * Sends an image to the registry that its name names. @throws ImageError, RegistryError when it cannot be
   * pushed
   */
  push(reference: string, options?: PushImageOptions): Promise<PushedImage>;
  /** Checks the credentials, for `login`. @throws RegistryError when the registry rejects them */
  login(auth: RegistryAuth): Promise<void>;
  /** @throws RegistryError when the registry has no such image */
  describeRemote(reference: string, options?: PushImageOptions): Promise<RemoteImage>;
  /**
   * What the signature policy, or else a public key (PEM), says of a registry's image; nothing is pulled. @throws
   * RegistryError, ImageError
   */
  examine(reference: string, options?: PushImageOptions & { key?: string }): Promise<ExaminedImage>;
  /**
   * Call it before an image is run or built upon. @throws ImageError when it came from a registry and the signature
   * policy does not accept it
   */
  requireTrusted(image: Image): void;
  /** `term`: 'redis', 'localhost:5000/redis'. @throws RegistryError when the registry cannot be searched */
  search(term: string, options: PushImageOptions & { limit: number }): Promise<FoundImage[]>;
  manifestLists: ManifestLists;
  /** Recreates the embedded image after it was removed; undefined when `reference` is not its name. */
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
  /** The image to build on; undefined: none. */
  base?: Image;
  /** The layer's uncompressed tar, with the image specification's whiteouts, as pack() makes it. */
  layer?: AsyncIterable<Uint8Array>;
  /** Configuration that replaces the base's; missing fields are not inherited. */
  config?: ProcessDefaults;
  author?: string;
  /** Time of creation, RFC 3339. */
  created: string;
  /** The command in the new line of the history. */
  createdBy: string;
  comment?: string;
  references?: readonly string[];
  /** Unpack the layer's files at the first call of lowerdirs(). */
  unpackLater?: boolean;
}

/**
 * A layer that need not belong to an image: its uncompressed tar is in the content store, and it is unpacked.
 */
export interface LooseLayer {
  diffId: string;
  /** Size of the tar in bytes. */
  size: number;
}

export interface LooseLayers {
  /** Digests passed to `hold` are not collected before `work` is done. Unneeded ones are collected then. */
  holding<T>(work: (hold: (digest: string) => void) => Promise<T>): Promise<T>;
  /** Stores and unpacks pack()'s output. @throws ImageError when it is invalid */
  add(tar: AsyncIterable<Uint8Array>, hold: (digest: string) => void): Promise<LooseLayer>;
  /** undefined when it is missing or incomplete. */
  find(diffId: string): LooseLayer | undefined;
  /**
   * A layer of an image, as a loose one: its tar is stored uncompressed. undefined when the image lacks it.
   * @throws ImageError when the layer is damaged
   */
  layerOf(
    image: Image,
    options: { index: number; hold: (digest: string) => void },
  ): Promise<LooseLayer | undefined>;
  /** The tar of a loose layer. */
  tar(diffId: string): AsyncIterable<Uint8Array>;
  /** The directory of its files. */
  directory(diffId: string): string;
  /** Bytes of its files. */
  filesSize(diffId: string): number;
  /** Keeps the layers that `digests` returns, even if no image needs them. */
  keep(digests: () => Iterable<string>): void;
  /** Call it before these are no longer needed, and collect() afterwards. */
  leaving(digests: Iterable<string>): void;
  /** Removes layers that are no longer needed. */
  collect(digests: Iterable<string>): Promise<string[]>;
  /**
   * Makes an image from loose layers on top of another image, or of none. @throws ImageError, FormatError
   * when it is invalid
   */
  assemble(options: AssembleOptions): Promise<Image>;
}

export interface AssembleOptions {
  base?: Image;
  /** Layers from the bottom, without the base's. */
  layers: readonly LooseLayer[];
  /** The complete configuration, including the base's diff ids and history. */
  config: ImageConfig;
  references: readonly string[];
}
