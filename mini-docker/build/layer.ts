// Turns a step's changes into a layer.
import { closeSync, openSync, readdirSync } from 'node:fs';
import type { LooseLayer } from '../images/image.ts';
import { pack } from '../images/pack.ts';
import { O } from '../linux/constants.ts';
import type { Workspace } from './workspace.ts';

/** Packs overlay's upper directory, which must no longer change; undefined when the directory is empty. */
export async function storeLayer(workspace: Workspace, upperdir: string): Promise<LooseLayer | undefined> {
  if (readdirSync(upperdir).length === 0) return undefined;
  const fd = openSync(upperdir, O.RDONLY | O.DIRECTORY);
  try {
    const { epoch, hold, host } = workspace;
    const tar = pack({ fd, whiteouts: true, ...(epoch === undefined ? {} : { latest: epoch }) });
    return await host.images.loose.add(tar, hold);
  } finally {
    closeSync(fd);
  }
}
