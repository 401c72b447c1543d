// A root of layers: what nobody changes below, what the box changes above. overlayfs, in the kernel's documentation
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { because, mount, type Step } from '#linux';

export interface Layers {
  /** Directories that nobody changes, the lowest first. */
  lower: string[];
  /** Where the box's changes go. */
  upper: string;
  /** For the kernel alone; on the same file system as upper. */
  work: string;
  /** Where all of it is seen as one. */
  merged: string;
}

/** A box's own directory, with what its layers need. What it has written before is still there. */
export function layersOf(name: string, lower: readonly string[]): Layers {
  const directory = `/tmp/box/containers/${name}`;
  const layers = { upper: `${directory}/upper`, work: `${directory}/work`, merged: `${directory}/merged` };
  for (const each of Object.values(layers)) mkdirSync(each, { recursive: true });
  return { lower: [...lower, initLayer()], ...layers };
}

export function removeLayers(name: string): void {
  rmSync(`/tmp/box/containers/${name}`, { recursive: true });
}

/** The kernel wants the topmost first. */
export function mountLayers({ lower, upper, work, merged }: Layers): Step {
  const options = `lowerdir=${lower.toReversed().join(':')},upperdir=${upper},workdir=${work}`;
  return because(
    'many directories are to look like one',
    mount({ source: 'overlay', target: merged, type: 'overlay', options }),
  );
}

/**
 * A layer between the image and the box's changes. In it is what every box gets anyway: places to mount on, and files
 * that tell of the box. So they are not among its changes.
 */
function initLayer(): string {
  const directory = '/tmp/box/init-layer';
  for (const name of ['proc', 'sys', 'dev', 'etc']) mkdirSync(`${directory}/${name}`, { recursive: true });
  for (const name of ['hostname', 'hosts', 'resolv.conf']) writeFileSync(`${directory}/etc/${name}`, '');
  return directory;
}
