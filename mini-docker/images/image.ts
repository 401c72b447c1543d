// What the engine sees of images. Implemented in store.ts.
import type { ImageConfig } from '../formats/image-config.ts';

export interface Image {
  /** The digest of its configuration: 'sha256:…'. */
  id: string;
  /** 'busybox:latest': short names as the user writes them, docker.io/library left out. */
  repoTags: string[];
  repoDigests: string[];
  /** Sum of its layers' files, in bytes. */
  size: number;
  config: ImageConfig;
}

export interface ImageStore {
  /** By reference, by id with or without 'sha256:', or by an unambiguous prefix of it. Throws NoSuchImage. */
  get(reference: string): Promise<Image>;
  list(): Promise<Image[]>;
  tag(image: Image, reference: string): Promise<void>;
  /** Removes a tag, and the image with its last one. `inUse` are ids of images that containers stand on. */
  remove(
    reference: string,
    options: { force: boolean; inUse: Set<string> },
  ): Promise<{ untagged: string[]; deleted: string[] }>;
  /** The unpacked layers' directories, topmost first: overlay's lowerdir order. Unpacks what is not yet. */
  lowerdirs(image: Image): Promise<string[]>;
}
