// The forms of a whiteout, which marks a deleted file of a layer below: '.wh.' names in a tar (image
// specification, layer.md, "Whiteouts"), and devices 0:0 and an attribute in an overlay's upper directory
// (kernel, Documentation/filesystems/overlayfs.rst).

import { inUserNamespace } from '../linux/own-user-namespace.ts';
import { xattr } from '../linux/xattrs.ts';

const PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
export const OPAQUE_MARK = '.wh..wh..opq';
/** In a user namespace overlay reads the attribute of the second name (mount option userxattr). */
export const OPAQUE_XATTR = inUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque';

/** Whether nothing of the layers below shows in the directory. */
export const isOpaque = (directory: number): boolean =>
  xattr(directory, OPAQUE_XATTR)?.toString('latin1') === 'y';

export const whiteoutName = (name: string): string => PREFIX + name;

export const isOpaqueMark = (name: string): boolean => name === OPAQUE_MARK;

/** Bookkeeping files of aufs, which old images still contain and which are not files of the image. */
export const isMetadata = (name: string): boolean => name.startsWith(META_PREFIX) && !isOpaqueMark(name);

/** The name that a whiteout hides; undefined for other files. */
export const hiddenName = (name: string): string | undefined =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
