// Tables that stay readable on a narrow screen.
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { paint } from './screen.ts';

const GAP = 2;

export interface Table {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  /** Width in columns. */
  room: number;
}

/** Lays out columns side by side and wraps the widest; if a word does not fit, puts the cells below one another. */
export function layTable({ header, rows, room }: Table): string {
  const all = [header, ...rows];
  const columns = header.map((_, column) => all.map(row => row[column] ?? ''));
  const free = room - GAP * (header.length - 1);
  const least = columns.map(cells => Math.max(...cells.map(longestWord)));
  if (sum(least) > free) return stacked(header, rows, room);
  const widths = shared(
    columns.map(cells => Math.max(...cells.map(cell => stringWidth(cell)))),
    least,
    free,
  );
  const rule = paint.dim(widths.map(width => '─'.repeat(width)).join(' '.repeat(GAP)));
  const [head, ...body] = all.map(row => rowOf(row, widths));
  return [paint.bold(head!), rule, ...body].join('\n');
}

/** The natural widths of the columns; if they exceed the room, the widest columns shrink. */
function shared(wanted: readonly number[], least: readonly number[], free: number): number[] {
  const widths = [...wanted];
  for (let over = sum(widths) - free; over > 0; over--) {
    const spare = widths.map((width, column) => (width > least[column]! ? width : 0));
    widths[spare.indexOf(Math.max(...spare))]!--;
  }
  return widths;
}

function rowOf(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => wrapAnsi(row[column] ?? '', width).split('\n'));
  const height = Math.max(...cells.map(lines => lines.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, column) => {
        const text = cells[column]![line] ?? '';
        return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  ).join('\n');
}

function stacked(header: readonly string[], rows: readonly (readonly string[])[], room: number): string {
  return rows
    .map(row =>
      row
        .map((cell, column) => {
          const label = header[column] ? `${paint.bold(header[column]!)}: ` : '';
          return wrapAnsi(`${column === 0 ? '' : '  '}${label}${cell}`, room, { trim: false });
        })
        .join('\n'),
    )
    .join('\n');
}

function longestWord(text: string): number {
  return Math.max(0, ...text.split(/\s+/).map(word => stringWidth(word)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
