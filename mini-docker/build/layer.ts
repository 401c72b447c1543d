// Turns a step's changes into a layer.

import { openSync, readdirSync } from 'node:fs';
import type { LooseLayer } from '../images/image.ts';
import { pack } from '../images/pack.ts';
import { O } from '../linux/constants.ts';
import { Descriptor } from '../linux/descriptor.ts';
import type { Workspace } from './workspace.ts';

/** Packs overlay's upper directory, which must no longer change; undefined when the directory is empty. */
export async function storeLayer(workspace: Workspace, upperdir: string): Promise<LooseLayer | undefined> {
  if (readdirSync(upperdir).length === 0) return undefined;
  using directory = new Descriptor(openSync(upperdir, O.RDONLY | O.DIRECTORY));
  const { epoch, hold, host } = workspace;
  const latest = epoch === undefined ? {} : { latest: epoch };
  return await host.images.loose.add(pack({ fd: directory.number, whiteouts: true, ...latest }), hold);
}
