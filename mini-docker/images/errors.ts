/** HTTP 404. */
export class NoSuchImage extends Error {
  override name = 'NoSuchImage';
  /** `reference` as the user should read it: with its tag. */
  constructor(reference: string, options?: ErrorOptions) {
    super(`No such image: ${reference}`, options);
  }
}

/** HTTP 409: the image cannot be removed because something stands on it. */
export class ImageInUse extends Error {
  override name = 'ImageInUse';
}

/** HTTP 400: a prefix that fits more than one image. */
export class AmbiguousImage extends Error {
  override name = 'AmbiguousImage';
}

/** An image that cannot be taken in as it is: a wrong digest, a broken or hostile archive. HTTP 400. */
export class BadImage extends Error {
  override name = 'BadImage';
}

/** HTTP 404: `manifest create` makes one. */
export class NoSuchManifestList extends Error {
  override name = 'NoSuchManifestList';
  constructor(name: string) {
    super(`No such manifest list: ${name}`);
  }
}
