// The whole picture: the machine, in it a card for each box, and the chosen box opened below them. Pure.

import { encodeSize } from '../../formats/sizes.ts';
import type { BoxRow, View } from '../../formats/view.ts';
import { visible } from '../../formats/visible.ts';
import { type Html, html, trusted } from '../../web/html.ts';
import { type Seen, type Watch, watchAt } from '../view/changes.ts';
import { hostGauges } from '../view/figures.ts';
import { type History, HOST, pointsOf, rate, type Sample } from '../view/history.ts';
import { bridgeItems } from './bridges.ts';
import { type Drawn, flow } from './flow.ts';
import { curve, gauge } from './gauges.ts';
import { type Item, note } from './items.ts';
import { PANELS } from './panels.ts';
import { acrossToPixels, downToPixels, moved, rectangle, words } from './shapes.ts';

export interface PictureState {
  view: View;
  history: History;
  /** Keyed by what was lit in the picture before. */
  seen: Seen;
  /** Width of the page, in columns of text. */
  columns: number;
  /** Words for a box: 'container'. */
  noun: string;
  /** What to do when there is no box. */
  empty: string;
}

/** Boxes that have a card; the others are counted. */
const MOST = 100;
const CARD = { width: 32, lines: 4 };
/** Columns of a panel at least, so that wide pages have several side by side. */
const PANEL = 54;

/** @returns an SVG element */
export function drawPicture(state: PictureState): { picture: Html; seen: Seen } {
  const { view, columns, noun, history } = state;
  const { host, boxes, bridges = [] } = view;
  const watch = watchAt(view.at, state.seen);
  const inner = columns - 4;
  const samples = history.get(HOST) ?? [];
  const opened = openedBox(state, inner, watch);
  const { shapes, lines } = below([
    heading(`this machine: ${host.name}, Linux ${host.kernel}`, { columns: inner, level: 2 }),
    flow(
      hostGauges(host, samples).map(each => gauge(each, samples, inner)),
      { columns: inner, watch },
    ),
    flow(boxCards(state, inner), { columns: inner, watch }),
    ...(bridges.length === 0 ? [] : [flow(bridgeItems(bridges, inner), { columns: inner, watch })]),
    ...(opened === undefined ? [] : [opened]),
  ]);
  const label = `${host.name} and ${boxes.length === 1 ? `a ${noun}` : `${boxes.length} ${plural(noun)}`}`;
  const picture = html`<svg role="group" aria-label="${label}" viewBox="0 0 ${acrossToPixels(columns)} ${downToPixels(lines + 1)}" xmlns="http://www.w3.org/2000/svg">
${rectangle({ x: 0.2, y: 0.1, width: columns - 0.4, lines: lines + 0.8, tone: 'machine' })}${moved(shapes, { x: 2, y: 0.4 })}
</svg>`;
  // Names and texts are in attributes, too.
  return { picture: trusted(visible(picture.html, '\n')), seen: watch.seen };
}

export const plural = (noun: string): string => `${noun}${noun.endsWith('x') ? 'es' : 's'}`;

function heading(text: string, { columns, level }: { columns: number; level: number }): Drawn {
  return {
    lines: 1.4,
    shapes: html`<g role="heading" aria-level="${level}">${words(text, { width: columns, tone: 'title' })}</g>`,
  };
}

/** One below the other. */
function below(parts: readonly Drawn[]): Drawn {
  let y = 0;
  const shapes = parts.map(part => {
    const at = y;
    y += part.lines + 0.5;
    return moved(part.shapes, { y: at });
  });
  return { shapes: html`${shapes}`, lines: y };
}

function boxCards({ view, history, noun, empty }: PictureState, columns: number): Item[] {
  const { boxes, wanted } = view;
  if (boxes.length === 0) return [note(empty, columns)];
  const chosen = boxes.find(({ id }) => id === wanted);
  const shown = boxes.slice(0, MOST);
  if (chosen !== undefined && !shown.includes(chosen)) shown.push(chosen);
  const hidden = boxes.length - shown.length;
  return [
    ...shown.map((box): Item => card(box, { isChosen: box === chosen, samples: history.get(box.id) ?? [] })),
    ...(hidden > 0 ? [note(`and ${hidden} more ${plural(noun)}`, columns)] : []),
  ];
}

function card(
  { id, name, image, status, note, usage, published = [] }: BoxRow,
  { isChosen, samples }: { isChosen: boolean; samples: readonly Sample[] },
): Item {
  const { width, lines } = CARD;
  const cpu = rate(samples, 'cpu');
  const used =
    usage && `${cpu === undefined ? '' : `${Math.round(cpu / 1e7)}% cpu, `}${encodeSize(usage.memory)}`;
  const inner = width - 2;
  const tone = `card ${status === 'running' ? 'own' : 'hosts'}`;
  return {
    key: `box ${id}`,
    said: `${name} ${status}`,
    width,
    lines: lines + 0.4,
    shapes: html`<a href="#${encodeURIComponent(id)}" data-key="choose ${id}"${isChosen && html` aria-current="true" class="chosen"`}>
${rectangle({ width, lines, tone })}${words(name, { x: 1, width: inner, tone: 'strong' })}${words([image, ...portsOf(published)].join('  '), { x: 1, y: 1, width: inner, tone: 'quiet' })}${words(note, { x: 1, y: 2, width: inner })}${
  used &&
  html`${words(used, { x: 1, y: 3, width: inner })}${curve(pointsOf(samples, 'cpu'), { x: 21, y: 2.95, width: 10 })}`
}</a>`,
  };
}

/** Both address families of a port are one. */
const portsOf = (published: readonly string[]): string[] => [
  ...new Set(published.map(each => each.replace(/^(?:0\.0\.0\.0|\[::\]):/, ':'))),
];

/** The chosen box with all that is in it; undefined if there is none. */
function openedBox(state: PictureState, columns: number, watch: Watch): Drawn | undefined {
  const { view, history } = state;
  const row = view.boxes.find(({ id }) => id === view.wanted);
  if (row === undefined) return undefined;
  const title = heading([row.name, row.image, row.note].filter(Boolean).join('  '), {
    columns: columns - 2,
    level: 2,
  });
  const box = view.chosen;
  const inner = columns - 4;
  const body =
    box === undefined
      ? flow([note('It is not running: the kernel has nothing of it.', inner)], { columns: inner, watch })
      : beside(
          PANELS.map(({ heading, items }) => ({
            heading,
            draw: (width: number) =>
              flow(items({ view, box, history, columns: width }), { columns: width, watch }),
          })),
          inner,
        );
  const { shapes, lines } = below([title, body]);
  return {
    lines: lines + 0.6,
    shapes: html`<g role="group" aria-label="${row.name}">${rectangle({ width: columns, lines: lines + 0.4, tone: 'opened' })}${moved(shapes, { x: 2, y: 0.3 })}</g>`,
  };
}

/** Panels in as many columns as there is room for, each in the shortest. */
function beside(
  panels: readonly { heading: string; draw(columns: number): Drawn }[],
  columns: number,
): Drawn {
  const count = Math.max(1, Math.min(3, Math.floor(columns / PANEL)));
  const width = Math.floor((columns - (count - 1) * 4) / count);
  const heights = Array.from({ length: count }, () => 0);
  const shapes = panels.map(({ heading: text, draw }) => {
    const { shapes, lines } = below([heading(text, { columns: width, level: 3 }), draw(width)]);
    const column = heights.indexOf(Math.min(...heights));
    const place = { x: column * (width + 4), y: heights[column]! };
    heights[column]! += lines + 0.5;
    return html`<g role="group" aria-label="${text}">${moved(shapes, place)}</g>`;
  });
  return { shapes: html`${shapes}`, lines: Math.max(...heights) };
}
