// Turns a box's changes into a layer; the box's image plus this layer is the new image.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Group } from '../07-cgroups/groups.ts';
import { layersOf } from '../08-layers/layers.ts';
import { addLayer, writeImage } from '../09-images/images.ts';
import { type Descriptor, readImage, tagImage } from '../09-images/store.ts';
import { isRunning, readState } from '../12-stay/state.ts';
import { isOpaque, isWhiteout, pathsIn } from './changes.ts';

/** @param command default command of the new image, instead of the box's own. @returns the new image's manifest */
export function commit(name: string, as: string, command: readonly string[] = []): Descriptor {
  const state = readState(name);
  const base = readImage(state.image);
  const pack = (): Buffer => packLayer(layersOf(name, []).upper);
  const tar = isRunning(state) && state.held !== undefined ? whileFrozen(state.held.group, pack) : pack();
  const image = addLayer(base, tar, `commit ${name}`);
  const Cmd = [command, state.spec.command].find(words => words.length > 0);
  if (Cmd !== undefined) image.config.config = { ...image.config.config, Cmd: [...Cmd] };
  const manifest = writeImage(image);
  tagImage(as, manifest);
  return manifest;
}

/** Packs an upper directory as a tar archive. The kernel's own marks become empty files called .wh.… */
export function packLayer(upper: string): Buffer {
  const temporary = mkdtempSync('/tmp/box/pack-');
  try {
    const files: string[] = [];
    const marks: string[] = [];
    for (const path of pathsIn(upper)) {
      if (!isWhiteout(upper + path)) files.push(path);
      else marks.push(posix.join(posix.dirname(path), `.wh.${posix.basename(path)}`));
      if (isOpaque(upper + path)) marks.push(`${path}/.wh..wh..opq`);
    }
    for (const mark of marks) {
      mkdirSync(`${temporary}/marks${posix.dirname(mark)}`, { recursive: true });
      writeFileSync(`${temporary}/marks${mark}`, '');
    }
    mkdirSync(`${temporary}/marks`, { recursive: true });
    const list = (name: string, paths: string[]): string => {
      writeFileSync(`${temporary}/${name}`, paths.map(path => `.${path}\0`).join(''));
      return `${temporary}/${name}`;
    };
    const from = [
      '-C',
      upper,
      '-T',
      list('files', files),
      '-C',
      `${temporary}/marks`,
      '-T',
      list('marked', marks),
    ];
    const options = [
      '--create',
      '--no-recursion',
      '--numeric-owner',
      '--null',
      `--file=${temporary}/layer.tar`,
    ];
    execFileSync('tar', [...options, ...from]);
    return readFileSync(`${temporary}/layer.tar`);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Stops every process in the group, so that all files are from one moment. cgroups(7): freezer, cgroup.freeze */
function whileFrozen<T>(group: Group, work: () => T): T {
  freeze(group, true);
  try {
    return work();
  } finally {
    freeze(group, false);
  }
}

function freeze(group: Group, frozen: boolean): void {
  for (const directory of group) {
    // Version 1 has a separate controller for it. In version 2 every control group can be frozen.
    const v1 = `${directory}/freezer.state`;
    const v2 = `${directory}/cgroup.freeze`;
    const has = (file: string, text: string) => (): boolean => readFileSync(file, 'utf8').includes(text);
    if (existsSync(v1)) {
      writeFileSync(v1, frozen ? 'FROZEN' : 'THAWED');
      waitUntil(has(v1, frozen ? 'FROZEN' : 'THAWED'));
    } else if (existsSync(v2)) {
      writeFileSync(v2, frozen ? '1' : '0');
      waitUntil(has(`${directory}/cgroup.events`, `frozen ${frozen ? 1 : 0}`));
    }
  }
}

/** Waits: the kernel takes a moment to stop every process. */
function waitUntil(holds: () => boolean): void {
  while (!holds()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
