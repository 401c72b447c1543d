import { expect, test } from 'vitest';
import { visible } from './visible.ts';

test('what gives orders to a terminal is written out, and everything else stays', () => {
  expect(visible('\u001b]0;owned\u0007 \u009b2J a\r\nb\t')).toBe(
    '\\x1b]0;owned\\x07 \\x9b2J a\\x0d\\x0ab\\x09',
  );
  expect(visible('nur \u202etxt.exe')).toBe('nur \\u202etxt.exe');
  expect(visible('Grüße, 世界 … ─│')).toBe('Grüße, 世界 … ─│');
  expect(visible('a\nb\tc\u0000', '\n\t')).toBe('a\nb\tc\\x00');
});
