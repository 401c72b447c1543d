// Columns of text, as docker's listings align them.
import { visible } from '../../formats/visible.ts';

/** No column is narrower than this, its gap included, but the last, which ends with its text. */
const LEAST = 10;
const GAP = 3;

/** Lines with columns aligned by spaces. Rows may be of different lengths; what cannot be seen in a cell is written out. */
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
