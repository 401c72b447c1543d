// A layer between every image and every container's own: the places that something is mounted on. They are in no image
// then and in no commit, a container that writes nothing has an empty layer of its own, and an image whose /proc or /etc
// is a symbolic link cannot lead a mount elsewhere.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../../images/image.ts';
import type { EngineContext } from '../state/context.ts';

const DIRECTORIES = ['dev', 'proc', 'sys', 'etc'];
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', '.dockerenv'];

/** Idempotent. */
export function makeInitLayer(directory: string): void {
  for (const name of ['.', ...DIRECTORIES])
    mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  for (const name of FILES) writeFileSync(join(directory, name), '', { mode: 0o644 });
}

/** What lies below a container's own layer, topmost first. */
export async function layersBelow(context: EngineContext, image: Image): Promise<string[]> {
  return [context.paths.initLayer, ...(await context.images.lowerdirs(image))];
}
