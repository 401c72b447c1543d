import { expect, test } from 'vitest';
import { decodeSize, encodeBinarySize, encodeSize } from './sizes.ts';

test.each([
  ['0', 0],
  ['100', 100],
  ['100b', 100],
  ['4k', 4096],
  ['512m', 536870912],
  ['512MB', 536870912],
  ['1.5GiB', 1610612736],
  ['2 g', 2147483648],
])('%s is %d bytes', (text, bytes) => {
  expect(decodeSize(text)).toBe(bytes);
});

test.each(['', 'xx', '-5', '5x', '1..5m', 'm'])('%j is no size', text => {
  expect(() => decodeSize(text)).toThrow(`invalid size: '${text}'`);
});

test('sizes are shown in powers of 1000 for disks and of 1024 for memory', () => {
  expect([0, 999, 1000, 1131168, 72_800_000].map(each => encodeSize(each))).toEqual([
    '0B',
    '999B',
    '1kB',
    '1.13MB',
    '72.8MB',
  ]);
  expect([0, 1024, 7_962_624, 25 * 2 ** 30].map(encodeBinarySize)).toEqual([
    '0B',
    '1KiB',
    '7.594MiB',
    '25GiB',
  ]);
});
