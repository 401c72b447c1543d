// How a layer says that something below it is gone: in a tar with '.wh.' names (image specification, layer.md,
// "Whiteouts"), in an overlay's upper directory with devices 0:0 and an attribute
// (kernel, Documentation/filesystems/overlayfs.rst).

const PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
export const OPAQUE_MARK = '.wh..wh..opq';
export const OPAQUE_XATTR = 'trusted.overlay.opaque';

export const whiteoutName = (name: string): string => PREFIX + name;

export const isOpaqueMark = (name: string): boolean => name === OPAQUE_MARK;

/** Bookkeeping of aufs, which old images still have: nothing of it is a file of the image. */
export const isMetadata = (name: string): boolean => name.startsWith(META_PREFIX) && !isOpaqueMark(name);

/** The name that a whiteout hides; undefined for other files. */
export const hiddenName = (name: string): string | undefined =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
