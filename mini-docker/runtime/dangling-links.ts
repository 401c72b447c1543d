// Places of a container that a link of its image sends to where nothing is: a volume at /data, where /data leads to
// /srv/data and there is no /srv. As in Docker, what is missing is made inside. The start's program can make directories
// (inside.ts), but not take links apart: the places are resolved before, and the program finds names only.
import { closeSync, lstatSync } from 'node:fs';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { resolveInRoot } from '../linux/in-root.ts';
import { openMergedView } from './merged-view.ts';
import type { Layers } from './rootfs.ts';

/** The spec with its mount points, devices and working directory resolved; the same spec where no link is on the way. */
export function withoutLinks(spec: Spec, layers: Layers): Spec {
  const all = [layers.upperdir, ...layers.lowerdirs];
  const { mounts, process, linux } = spec;
  const { devices = [] } = linux;
  const places = [...mounts.map(each => each.destination), ...devices.map(each => each.path), process.cwd];
  if (!all.some(layer => places.some(place => hasLink(layer, place)))) return spec;
  const { lowerdirs, upperdir } = layers;
  const root = openMergedView({ lowerdirs: [...lowerdirs], upperdir });
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

/** What the layer has, another may hide: then the view tells. Most layers have nothing at most places. */
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

/** These are mounted where they are called, whatever the image has there (inside.ts refuses links). */
function isKernels(place: string): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(place);
}

/** Then it is a place in what is mounted, and the image's links there are hidden. */
function isBelowAnother(place: string, { mounts }: Spec): boolean {
  return mounts.some(({ destination }) => place !== destination && place.startsWith(`${destination}/`));
}
