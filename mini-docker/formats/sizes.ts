// Sizes as docker's flags take them ('512m', in powers of 1024) and as its listings show them ('1.13MB' in powers of
// 1000, '7.5MiB' in powers of 1024).

import { FormatError } from './errors.ts';

const POWERS = 'kmgtp';

/**
 * '512m', '1.5GiB', '100' → bytes; every unit is a power of 1024.
 * @throws FormatError when the text is not a size
 */
export function decodeSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text.trim());
  if (!match) throw new FormatError(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * 1024 ** (POWERS.indexOf(match[2]!.toLowerCase() || ' ') + 1));
}

/** '1.13MB': three digits, powers of 1000. */
export const encodeSize = (bytes: number, digits = 3): string =>
  scale(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'], digits);

/** '7.594MiB': four digits, powers of 1024. */
export const encodeBinarySize = (bytes: number): string =>
  scale(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], 4);

function scale(bytes: number, base: number, units: string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}
