// Places the items of a list from left to right and from top to bottom, and marks those that have changed.
import { type Html, html } from '../../web/html.ts';
import type { Watch } from '../view/changes.ts';
import type { Item } from './items.ts';
import { acrossToPixels, downToPixels, rectangle } from './shapes.ts';

/** Shapes and their height. */
export interface Drawn {
  shapes: Html;
  lines: number;
}

/** Columns between items that stand side by side. */
const GAP = 1;

export function flow(items: readonly Item[], { columns, watch }: { columns: number; watch: Watch }): Drawn {
  let [x, y, tallest] = [0, 0, 0];
  const placed = items.map(item => {
    const { lines = 1, width = columns } = item;
    if (x > 0 && x + width > columns) [x, y, tallest] = [0, y + tallest, 0];
    const drawn = listItem(item, { x, y, width, lines, watch });
    x += width + GAP;
    tallest = Math.max(tallest, lines);
    return drawn;
  });
  return { shapes: html`<g role="list">${placed}</g>`, lines: y + tallest };
}

function listItem(
  { shapes, key, said = '', label }: Item,
  { x, y, width, lines, watch }: { x: number; y: number; width: number; lines: number; watch: Watch },
): Html {
  const lit = key !== undefined && watch.isLit(key, said);
  const place = html`transform="translate(${acrossToPixels(x)} ${downToPixels(y)})"`;
  // A mark as well as a colour.
  const light =
    lit &&
    html`${rectangle({ x: -0.5, width: width + 0.5, lines, tone: 'light' })}<circle class="mark" cx="-8" cy="10" r="4"/>`;
  const content = label === undefined ? shapes : html`<g role="img" aria-label="${label}">${shapes}</g>`;
  return html`<g role="listitem"${key !== undefined && html` data-key="${key}"`}${lit && html` class="lit"`} ${place}>${light}${content}</g>`;
}
