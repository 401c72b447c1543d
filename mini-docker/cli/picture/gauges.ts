// Bars, and a minute of history as a curve.
import { type Html, html } from '../../web/html.ts';
import { wrapped } from '../show/wrapped.ts';
import type { Gauge } from '../view/figures.ts';
import { MINUTE, pointsOf, type Sample } from '../view/history.ts';
import type { Item } from './items.ts';
import { line, rectangle, words } from './shapes.ts';

const BAR = 16;

/** A figure as an item of a list. */
export function gauge(
  { name, text, share, figure, scale }: Gauge,
  samples: readonly Sample[],
  columns: number,
): Item {
  const curveAt = 10 + BAR + 1;
  const curveWidth = Math.min(20, columns - curveAt - 1);
  // A narrow picture has the words below.
  const isWide = columns >= 70;
  const at = isWide ? { x: curveAt + curveWidth + 2, y: 0 } : { x: 9, y: 1 };
  const width = columns - at.x;
  const texts = isWide ? [text] : wrapped(text.split(' '), width);
  const past = curveWidth > 5 && curve(pointsOf(samples, figure), { x: curveAt, width: curveWidth, scale });
  return {
    label: `${name}: ${text}`,
    lines: isWide ? 1 : texts.length + 1.2,
    shapes: html`${words(name, { width: 9 })}${share !== undefined && barOf(share, { x: 9, width: BAR })}${past}${texts.map(
      (each, index) => words(each, { x: at.x, y: at.y + index, width }),
    )}`,
  };
}

function barOf(share: number, { x, width }: { x: number; width: number }): Html {
  const filled = Math.max(0, Math.min(1, share)) * width;
  const tone = share > 0.9 ? 'full' : 'used';
  return html`${rectangle({ x, y: 0.2, width, lines: 0.6, tone: 'room' })}${
    filled > 0.05 && rectangle({ x, y: 0.2, width: filled, lines: 0.6, tone })
  }`;
}

export function curve(
  points: readonly { at: number; value: number }[],
  { x, y = 0, width, scale }: { x: number; y?: number; width: number; scale?: number | undefined },
): Html {
  const end = points.at(-1)?.at ?? 0;
  const top = scale ?? Math.max(...points.map(({ value }) => value), 0);
  const places = points.flatMap(({ at, value }) => [
    x + Math.max(0, (at - end + MINUTE) / MINUTE) * width,
    y + 0.9 - (top > 0 ? Math.min(1, value / top) : 0) * 0.8,
  ]);
  const ground = line([x, y + 0.95, x + width, y + 0.95], 'ground');
  return html`${ground}${places.length > 2 && line(places, 'curve')}`;
}
