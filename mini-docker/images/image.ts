// What the engine sees of images. Implemented in store.ts.
import type { ImageConfig } from '../formats/image-config.ts';
import type { Descriptor } from '../formats/oci-image.ts';

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

export interface ImageStore {
  /** By reference, by id with or without 'sha256:', or by an unambiguous prefix of it. Throws NoSuchImage. */
  get(reference: string): Promise<Image>;
  list(): Promise<Image[]>;
  /** Throws InvalidReference. A tag that another image has moves to this one. */
  tag(image: Image, reference: string): Promise<void>;
  /**
   * Removes a tag, and the image with its last one; by id, the image with its only name. Throws NoSuchImage and
   * ImageInUse, under docker's rules. With `force` an image that a stopped container needs only loses its names.
   */
  remove(reference: string, options: RemoveOptions): Promise<{ untagged: string[]; deleted: string[] }>;
  /** The unpacked layers' directories, topmost first: overlay's lowerdir order. Unpacks what is not yet. */
  lowerdirs(image: Image): Promise<string[]>;
  /** Makes the image that comes with the program anew after it was removed; undefined when `reference` is not its name. */
  restoreEmbedded(reference: string): Promise<Image | undefined>;
}
