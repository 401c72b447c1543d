import { expect, test } from 'vitest';
import { FormatError } from './errors.ts';
import { compileGoRegexp } from './go-regexp.ts';

test.each([
  ['web', 'my-web-1', true],
  ['^web', 'my-web-1', false],
  ['^web$', 'web', true],
  ['w.b', 'wib', true],
  ['(?i)WEB', 'web', true],
  ['[[:digit:]]+\\z', 'web1', true],
  ['', 'web', true],
])('%j finds something in %j: %s', async (pattern, text, expected) => {
  expect((await compileGoRegexp(pattern)).finds(text)).toBe(expected);
});

test.each(['(', '[a', '*', 'a(?=b)', '\\1', 'x'.repeat(2000), '((a{1000}){1000}){1000}'])(
  '%j is refused',
  async pattern => {
    await expect(compileGoRegexp(pattern)).rejects.toThrow(FormatError);
  },
);

test('nested repetitions take no longer than the text is long', async () => {
  const start = process.cpuUsage();
  expect((await compileGoRegexp('^(a+)+$')).finds(`${'a'.repeat(2000)}b`)).toBe(false);
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(2000);
});
