// Draws an image as a stack of layers, the newest on top, each with the files that it adds, changes and
// deletes.

import { describeDuration } from '../../formats/durations.ts';
import type { ImageLayer, ImageLayers, LayerChanges } from '../../formats/engine-api/images.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeSize } from '../../formats/sizes.ts';
import { visible } from '../../formats/visible.ts';
import { ellipsis } from './listing.ts';
import { wrapped } from './wrapped.ts';

const BAR = 20;
/** Lines for the command that made the layer. */
const TALLEST = 3;
/** Paths shown for each kind of change. */
const PATHS = 3;

/** `name`: the user's name for the image. `width` in columns; `now` in milliseconds since 1970. */
export function layersPicture(
  image: ImageLayers,
  { name, width, now }: { name: string; width: number; now: number },
): string {
  const { Id, Layers, Size, Hidden } = image;
  const count = `${Layers.length} layer${Layers.length === 1 ? '' : 's'}`;
  const lines = [`${name} (${shortId(Id)}): ${count}, ${encodeSize(Size)}`, ''];
  const inside = width - 4;
  for (const [index, layer] of [...Layers.entries()].reverse()) {
    const isTop = index === Layers.length - 1;
    lines.push(edge({ layer, number: index + 1, width, isTop, now }));
    for (const text of contents(layer, { inside, total: Size })) {
      lines.push(`│ ${fitted(visible(text), inside)} │`);
    }
  }
  if (Layers.length > 0) lines.push(`└${'─'.repeat(width - 2)}┘`);
  lines.push('', waste(Size, Hidden), '');
  return lines.join('\n');
}

function fitted(text: string, width: number): string {
  return [...text].length > width ? ellipsis(text, width) : text.padEnd(width);
}

function edge(options: {
  layer: ImageLayer;
  number: number;
  width: number;
  isTop: boolean;
  now: number;
}): string {
  const { layer, number, width, isTop, now } = options;
  const created = Date.parse(layer.Created);
  const ago = created > 0 ? ` ${describeDuration((now - created) / 1000)} ago ─` : '';
  const left = `${isTop ? '┌' : '├'}─ ${number} ─${ago}`;
  const right = `─ ${encodeSize(layer.Size)} ─${isTop ? '┐' : '┤'}`;
  return left + '─'.repeat(Math.max(width - left.length - right.length, 0)) + right;
}

function contents(layer: ImageLayer, { inside, total }: { inside: number; total: number }): string[] {
  const { Added, Changed, Deleted, Hidden, Size, CreatedBy } = layer;
  return [
    ...shortened(CreatedBy || '(nothing says what made it)', inside),
    bar({ size: Size, hidden: Hidden, total }),
    ...changes('+', 'added', Added),
    ...changes('~', 'changed', Changed),
    ...changes('-', 'deleted', Deleted),
  ].filter(line => line !== '');
}

/** A bar for the layer's share of the image's bytes; hidden bytes are lighter. */
function bar({ size, hidden, total }: { size: number; hidden: number; total: number }): string {
  if (size === 0 || total === 0) return '';
  const cells = (bytes: number) => Math.round((bytes / total) * BAR);
  const all = Math.max(cells(size), 1);
  const gone = hidden === 0 ? 0 : Math.min(Math.max(cells(hidden), 1), all);
  const percent = Math.round((size / total) * 100);
  const seen = hidden === 0 ? '' : `, ${encodeSize(hidden)} of it hidden by a layer above`;
  return `${'█'.repeat(all - gone)}${'▒'.repeat(gone)}${'·'.repeat(BAR - all)} ${percent}%${seen}`;
}

function changes(sign: string, did: string, { Count, Size, Largest }: LayerChanges): string[] {
  if (Count === 0) return [];
  const paths = Largest.slice(0, PATHS).map(({ Path }) => Path);
  const more = Count > paths.length ? ', …' : '';
  const what = `${sign} ${Count} ${did}`.padEnd(14);
  return [`${what} ${encodeSize(Size).padStart(7)}  ${paths.join(', ')}${more}`];
}

function waste(size: number, hidden: number): string {
  if (hidden === 0) return 'Nothing is hidden: every byte of it can be seen.';
  const percent = Math.max(1, Math.round((hidden / size) * 100));
  return (
    `${encodeSize(hidden)} of ${encodeSize(size)} (${percent}%) can no longer be seen and is stored and sent all the ` +
    'same. What is not to be\nkept must go in the same layer that brings it.'
  );
}

function shortened(text: string, width: number): string[] {
  const lines = wrapped(text.trim().split(/\s+/), width);
  if (lines.length <= TALLEST) return lines;
  return [...lines.slice(0, TALLEST - 1), `${lines[TALLEST - 1]!.slice(0, width - 2)} …`];
}
