// Aligns text in columns, like docker's listings.
import { visible } from '../../formats/visible.ts';

/** Minimum width of a column, including its gap; the last column ends with its text. */
const LEAST = 10;
const GAP = 3;

/**
 * Lines with columns aligned by spaces. Rows may differ in length; control characters in cells are escaped.
 */
export function encodeTable(cells: string[][], least = LEAST): string {
  const rows = cells.map(row => row.map(cell => visible(cell)));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? least, [...cell].length + GAP);
    }
  }
  const line = (row: string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join('');
  return rows.map(row => `${line(row)}\n`).join('');
}
