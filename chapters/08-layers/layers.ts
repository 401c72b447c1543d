// A root made of layers: read-only ones below, and the box's changes above. overlayfs, in the kernel's documentation
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { because, mount, type Step } from '#linux';

export interface Layers {
  /** Read-only directories, the lowest first. */
  lower: string[];
  /** The directory that receives the box's changes. */
  upper: string;
  /** The kernel's scratch directory, on the same file system as upper. */
  work: string;
  /** The mount point, where all layers appear as one. */
  merged: string;
}

/** Creates the directories of a box's layers. Earlier changes by a box of this name are kept. */
export function layersOf(name: string, lower: readonly string[]): Layers {
  const directory = `/tmp/box/containers/${name}`;
  const layers = { upper: `${directory}/upper`, work: `${directory}/work`, merged: `${directory}/merged` };
  for (const each of Object.values(layers)) mkdirSync(each, { recursive: true });
  return { lower: [...lower, initLayer()], ...layers };
}

export function removeLayers(name: string): void {
  rmSync(`/tmp/box/containers/${name}`, { recursive: true });
}

/** Only the machine's root may write attributes called trusted.*; in a user namespace overlay uses user.* (chapter 15). */
const ofTheMachine = /^ *0 +0 +4294967295$/m.test(readFileSync('/proc/self/uid_map', 'utf8'));
export const OPAQUE_ATTRIBUTE = ofTheMachine ? 'trusted.overlay.opaque' : 'user.overlay.opaque';
const KIND = ofTheMachine ? '' : ',userxattr';

/** Mounts the layers. The kernel's option names the topmost first. */
export function mountLayers({ lower, upper, work, merged }: Layers): Step {
  const options = `lowerdir=${lower.toReversed().join(':')},upperdir=${upper},workdir=${work}${KIND}`;
  return because(
    'several directories appear as one',
    mount({ source: 'overlay', target: merged, type: 'overlay', options }),
  );
}

/**
 * A layer between the image and the box's changes, with the mount points and files that every box gets. Here they do
 * not count as changes of the box.
 */
function initLayer(): string {
  const directory = '/tmp/box/init-layer';
  for (const name of ['proc', 'sys', 'dev', 'etc']) mkdirSync(`${directory}/${name}`, { recursive: true });
  for (const name of ['hostname', 'hosts', 'resolv.conf']) writeFileSync(`${directory}/etc/${name}`, '');
  return directory;
}
