// The shapes of the picture, in columns and lines of text as in a terminal; only here they become pixels.
import { type Html, html } from '../../web/html.ts';
import { fitted, UNICODE } from '../view/lines.ts';

/** Pixels, at 14 pixels of font. */
const [COLUMN, LINE] = [8.43, 20];

const px = (value: number): number => Math.round(value * 10) / 10;
export const acrossToPixels = (columns: number): number => px(columns * COLUMN);
export const downToPixels = (lines: number): number => px(lines * LINE);

export interface Place {
  /** Columns from the left, and lines from the top. */
  x?: number;
  y?: number;
}

/** Words on a line. What is cut off can be read by resting the pointer there. */
export function words(text: string, options: Place & { width: number; tone?: string }): Html {
  const { x = 0, y = 0, width, tone } = options;
  const shown = fitted(text, Math.max(1, Math.floor(width)), UNICODE).trimEnd();
  const whole = shown.endsWith(UNICODE.more) && html`<title>${text}</title>`;
  return html`<text x="${acrossToPixels(x)}" y="${px(y * LINE + 14.5)}"${tone && html` class="${tone}"`}>${shown}${whole}</text>`;
}

export function rectangle(options: Place & { width: number; lines: number; tone: string }): Html {
  const { x = 0, y = 0, width, lines, tone } = options;
  return html`<rect class="${tone}" x="${acrossToPixels(x)}" y="${downToPixels(y)}" width="${acrossToPixels(width)}" height="${downToPixels(lines)}" rx="4"/>`;
}

/** @param points columns and lines, in turns: x, y, x, y */
export function line(points: readonly number[], tone: string): Html {
  const places = points.map((each, index) => (index % 2 === 0 ? acrossToPixels(each) : downToPixels(each)));
  return html`<path class="${tone}" d="M${places.join(' ')}"/>`;
}

/** A group of shapes, moved. */
export function moved(shapes: Html, { x = 0, y = 0 }: Place): Html {
  return x === 0 && y === 0
    ? shapes
    : html`<g transform="translate(${acrossToPixels(x)} ${downToPixels(y)})">${shapes}</g>`;
}

/** The lines of a branch of `tree` in lines.ts: three columns for each level. */
export function branchLines(branch: string, x: number): Html[] {
  return [...branch.matchAll(/.{3}/gu)].flatMap(([sign], level) => {
    const [left, right] = [x + level * 3 + 1, x + level * 3 + 2.7];
    if (sign === UNICODE.tree[3]) return [];
    const down = line([left, 0, left, sign === UNICODE.tree[1] ? 0.5 : 1], 'branch');
    return sign === UNICODE.tree[2] ? [down] : [down, line([left, 0.5, right, 0.5], 'branch')];
  });
}
