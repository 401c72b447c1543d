// Resolves mount points that lead through a dangling link of the image: a volume at /data, where /data links
// to /srv/data and /srv does not exist. As in Docker, the missing directories are made inside. The start
// program can make directories (inside.ts) but cannot follow links step by step, so the paths are resolved in
// advance and the program gets plain names.
import { closeSync, lstatSync } from 'node:fs';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { resolveInRoot } from '../linux/in-root.ts';
import { openMergedView } from './merged-view.ts';
import type { Layers } from './rootfs.ts';

/**
 * The spec with its mount points, devices and working directory resolved; the same object when no link is
 * involved.
 */
export function withoutLinks(spec: Spec, { lowerdirs, upperdir }: Layers): Spec {
  const directories = [upperdir, ...lowerdirs];
  const openRoot = (): number => openMergedView({ lowerdirs: [...lowerdirs], upperdir });
  return resolvedSpec(spec, { directories, openRoot });
}

/**
 * @param root.directories the layers of the root, or the root itself
 * @param root.openRoot opens what they show together
 */
export function resolvedSpec(
  spec: Spec,
  { directories, openRoot }: { directories: readonly string[]; openRoot: () => number },
): Spec {
  const { mounts, process, linux } = spec;
  const { devices = [] } = linux;
  const places = [...mounts.map(each => each.destination), ...devices.map(each => each.path), process.cwd];
  if (!directories.some(layer => places.some(place => hasLink(layer, place)))) return spec;
  const root = openRoot();
  try {
    const resolve = (place: string): string =>
      isKernels(place) || isBelowAnother(place, spec) ? place : resolveInRoot(root, place).toString();
    return {
      ...spec,
      mounts: mounts.map(mount => ({ ...mount, destination: resolve(mount.destination) })),
      linux: { ...linux, devices: devices.map(device => ({ ...device, path: resolve(device.path) })) },
      process: { ...process, cwd: resolve(process.cwd) },
    };
  } finally {
    closeSync(root);
  }
}

/**
 * Whether this layer has a link there; the merged view decides, since another layer may hide it. Most layers
 * have nothing at most paths.
 */
function hasLink(layer: string, place: string): boolean {
  if (isKernels(place)) return false;
  let path = layer;
  for (const name of place.split('/').filter(Boolean)) {
    path += `/${name}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return false;
    if (found.isSymbolicLink()) return true;
  }
  return false;
}

/**
 * The kernel's filesystems are mounted at their literal paths, whatever the image has there (inside.ts
 * refuses links).
 */
function isKernels(place: string): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(place);
}

/** Whether the path lies in another mount, which hides the image's links there. */
function isBelowAnother(place: string, { mounts }: Spec): boolean {
  return mounts.some(({ destination }) => place !== destination && place.startsWith(`${destination}/`));
}
