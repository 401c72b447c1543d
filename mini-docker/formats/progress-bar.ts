// A bar with figures, as docker draws it: '[=====>    ]  1.2MB/3.4MB'.

import { encodeSize } from './sizes.ts';

const LENGTH = 50;
/** A narrower terminal gets the figures alone. */
const WIDE = 110;

/** @param columns of the terminal; more than enough when missing */
export function progressBar(
  { current = 0, total = 0 }: { current?: number; total?: number },
  columns = 200,
): string {
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return encodeSize(current, 4).padStart(8);
  const done = Math.min(Math.floor((current / total) * LENGTH), LENGTH);
  const bar = columns > WIDE ? `[${'='.repeat(done)}>${' '.repeat(LENGTH - done)}] ` : '';
  const figures = encodeSize(current, 4).padStart(8);
  return `${bar}${figures}${current > total ? '' : `/${encodeSize(total, 4)}`}`;
}
