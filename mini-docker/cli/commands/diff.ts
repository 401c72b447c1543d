import type { FilesystemChange } from '../../formats/engine-api/containers.ts';
import { visible } from '../../formats/visible.ts';
import { command } from '../command.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { print } from '../show/output.ts';

/** Letters by FilesystemChange.Kind. */
const KINDS = ['C', 'A', 'D'] as const;

export const diff = command({
  usage: 'CONTAINER',
  description: 'A: added, C: changed, D: deleted.',
  examples: [['diff web', "List the container's changes"]],
  async run({ args, daemon }) {
    const path = containerPath(args[0]!, '/changes');
    for (const { Kind, Path } of (await daemon.json<FilesystemChange[] | null>('GET', path)) ?? []) {
      print(`${KINDS[Kind]} ${visible(Path)}`);
    }
  },
});
