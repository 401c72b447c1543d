// The mounts of a box as a tree; an overlay with its layers lying on each other.
import type { MountView } from '../../formats/view.ts';
import { html } from '../../web/html.ts';
import { tree, UNICODE } from '../view/lines.ts';
import { compared, layerText, MORE_MOUNTS, mountText, processText } from '../view/sections.ts';
import { type Drawing, type Item, note } from './items.ts';
import { branchLines, line, words } from './shapes.ts';

/** Mounts, and layers of an overlay, that are drawn. */
const MOST = { mounts: 60, layers: 12 };

export function mounts({ box, columns }: Drawing): Item[] {
  const [first, ...others] = box.mounts;
  if (first === undefined) return [];
  return [
    ...mountItems(first.mounts, `${first.inode}`, columns),
    ...(first.more ? [note(MORE_MOUNTS, columns)] : []),
    ...others.flatMap(({ inode, pid, mounts }) => {
      const { added, kept, gone } = compared(first.mounts, mounts);
      const text = `namespace ${inode} of ${processText(pid, box)}`;
      const what = `has ${kept} of the mounts above${gone > 0 ? `, not the other ${gone}` : ''}${added.length > 0 ? ', and:' : ''}`;
      return [
        { key: `mounts ${inode}`, shapes: words(text, { width: columns, tone: 'strong' }) },
        note(what, columns),
        ...mountItems(added, `${inode}`, columns),
      ];
    }),
  ];
}

function mountItems(mounts: readonly MountView[], namespace: string, columns: number): Item[] {
  const found = tree(mounts, { id: ({ id }) => id, parent: ({ parent }) => parent }, UNICODE);
  const hidden = found.length - MOST.mounts;
  return [
    ...found.slice(0, MOST.mounts).flatMap(({ node, branch }): Item[] => {
      const { id, point, layers = [] } = node;
      const x = [...branch].length;
      const text = mountText(node);
      return [
        {
          key: `mount ${namespace} ${id} ${point}`,
          said: text,
          shapes: html`${branchLines(branch, 0)}${words(text, { x, width: columns - x })}`,
        },
        ...layers
          .slice(0, MOST.layers)
          .map((_, index) => layer(layerText(layers, index), { x: x + 2, columns, writable: index === 0 })),
        ...(layers.length > MOST.layers
          ? [note(`and ${layers.length - MOST.layers} more layers below`, columns)]
          : []),
      ];
    }),
    ...(hidden > 0 ? [note(`and ${hidden} more`, columns)] : []),
  ];
}

/** A sheet, seen from above and the side. */
function layer(
  text: string,
  { x, columns, writable }: { x: number; columns: number; writable: boolean },
): Item {
  const edges = [x, 1, x + 2, 0.12, columns, 0.12, columns - 2, 1, x, 1];
  const sheet = line(edges, writable ? 'sheet writable' : 'sheet');
  return { shapes: html`${sheet}${words(text, { x: x + 3, width: columns - x - 6 })}` };
}
