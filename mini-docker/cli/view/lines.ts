// What a section of the view consists of: lines of text, and the characters to draw with.
import stringWidth from 'string-width';
import { visible } from '../../formats/visible.ts';

export type Tone = 'plain' | 'heading' | 'dim' | 'good' | 'bad';

export interface Line {
  text: string;
  tone?: Tone;
  /** What the line is about. A line with a key lights up when it is new, or its `watched` has changed. */
  key?: string;
  /** By default the whole text. */
  watched?: string;
}

export interface Glyphs {
  full: string;
  empty: string;
  /** Levels of a history, from nothing to the most. */
  levels: string;
  /** Before a child, before the last child, below a child, below the last one. */
  tree: readonly [string, string, string, string];
  column: string;
  cable: string;
  changed: string;
  chosen: string;
  more: string;
  ascii: boolean;
}

export const UNICODE: Glyphs = {
  full: '█',
  empty: '░',
  levels: ' ▁▂▃▄▅▆▇█',
  tree: ['├─ ', '└─ ', '│  ', '   '],
  column: '│',
  cable: '═══',
  changed: '●',
  chosen: '▸',
  more: '…',
  ascii: false,
};

export const ASCII: Glyphs = {
  full: '#',
  empty: '.',
  levels: ' .:-=+*%#',
  tree: ['|- ', '`- ', '|  ', '   '],
  column: '|',
  cable: '===',
  changed: '*',
  chosen: '>',
  more: '...',
  ascii: true,
};

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Text of exactly `width` columns: shortened or padded. Text from containers cannot give orders to the terminal:
 * control characters are escaped.
 */
export function fitted(text: string, width: number, glyphs: Glyphs): string {
  let shown = visible(text);
  if (glyphs.ascii) shown = shown.replace(/[^\x20-\x7e]/gu, '?');
  const plain = /^[\x20-\x7e]*$/.test(shown);
  const columns = plain ? shown.length : stringWidth(shown);
  if (columns <= width) return shown + ' '.repeat(width - columns);
  const room = width - stringWidth(glyphs.more);
  if (room < 1) return ' '.repeat(width);
  if (plain) return shown.slice(0, room) + glyphs.more;
  let [cut, used] = ['', 0];
  for (const { segment } of segments.segment(shown)) {
    const wide = stringWidth(segment);
    if (used + wide > room) break;
    cut += segment;
    used += wide;
  }
  return cut + ' '.repeat(room - used) + glyphs.more;
}

/** Columns by which the rest of a folded line is indented, and from where it may be broken at a space. */
const [INDENT, BREAK_FROM] = [4, 0.6];

/** Text as lines of at most `width` columns, so that none of it is lost. */
export function folded(text: string, width: number): string[] {
  const shown = visible(text);
  if (shown.length <= width && stringWidth(shown) <= width) return [shown];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const { segment } of segments.segment(shown)) {
    const wide = stringWidth(segment);
    if (used + wide > width) {
      const space = line.lastIndexOf(' ');
      const end = space > width * BREAK_FROM ? space + 1 : line.length;
      lines.push(line.slice(0, end));
      line = ' '.repeat(INDENT) + line.slice(end);
      used = stringWidth(line);
    }
    line += segment;
    used += wide;
  }
  return [...lines, line];
}

/** A bar of `width` columns. @param share 0 to 1 */
export function bar(share: number, width: number, { full, empty }: Glyphs): string {
  const filled = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return full.repeat(filled) + empty.repeat(width - filled);
}

/** Levels of a tree that are indented; a long chain of children goes on below them. */
const DEEPEST = 12;

/** Indents the nodes of a forest, children below their parents. Nodes whose parent is missing are roots. */
export function tree<T>(
  nodes: readonly T[],
  { id, parent }: { id(node: T): number; parent(node: T): number },
  glyphs: Glyphs,
): { node: T; branch: string }[] {
  const ids = new Set(nodes.map(id));
  const children = Map.groupBy(nodes, node =>
    ids.has(parent(node)) && parent(node) !== id(node) ? parent(node) : -1,
  );
  const found: { node: T; branch: string }[] = [];
  const [child, last, below, belowLast] = glyphs.tree;
  const walk = (node: T, branch: string, indent: string): void => {
    found.push({ node, branch });
    const own = children.get(id(node)) ?? [];
    const most = DEEPEST * last.length;
    for (const [index, each] of own.entries()) {
      const isLast = index === own.length - 1;
      walk(
        each,
        indent + (isLast ? last : child),
        indent.length < most ? indent + (isLast ? belowLast : below) : indent,
      );
    }
  };
  for (const root of children.get(-1) ?? []) walk(root, '', '');
  return found;
}
