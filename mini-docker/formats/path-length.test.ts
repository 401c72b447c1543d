import { expect, test } from 'vitest';
import { isTooLong } from './path-length.ts';

test.each<[string, string, boolean]>([
  ['a name of 255 bytes', `/${'n'.repeat(255)}/x`, false],
  ['a name of 256 bytes', `/${'n'.repeat(256)}/x`, true],
  ['a name of 128 characters of two bytes', `/${'ü'.repeat(128)}`, true],
  ['a path of 4,095 bytes', '/n'.repeat(2047), false],
  ['a path of 4,096 bytes, its NUL apart', '/n'.repeat(2048), true],
])('%s', (_, path, expected) => {
  expect(isTooLong(path)).toBe(expected);
});
