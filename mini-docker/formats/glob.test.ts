import { describe, expect, test } from 'vitest';
import { FormatError } from './errors.ts';
import { compileGlob } from './glob.ts';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['a*', 'a', true],
  ['a*', 'a/b', true],
  ['*b*', 'abc', true],
  ['*b*', 'acd', false],
  ['?', 'é', true],
  ['?', '😀', true],
  ['??', '😀', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[a]', '[a]', true],
  ['a.c', 'abc', false],
  ['(a|b)+$^{}', '(a|b)+$^{}', true],
])('%j stands for %j: %s', (pattern, text, expected) => {
  expect(compileGlob(pattern).matches(text)).toBe(expected);
});

test.each([
  ['*', 'a/b', false],
  ['*/*', 'a/b', true],
  ['a?b', 'a/b', false],
  ['a[^x]b', 'a/b', false],
  ['[a-c]', 'b', true],
  ['[^a-c]', 'b', false],
  ['[^a-c]', 'd', true],
  ['[\\]x]', ']', true],
  ['[\\-x]', '-', true],
  ['[a\\-c]', 'b', false],
  ['[]a]', 'a', undefined],
  ['[a', 'a', undefined],
  ['[a-]', 'a', undefined],
  ['[-a]', 'a', undefined],
  ['a\\', 'a', undefined],
])('as a path, %j stands for %j: %s', (pattern, text, expected) => {
  const compile = () => compileGlob(pattern, { separator: '/', sets: true });
  if (expected === undefined) expect(compile).toThrow(FormatError);
  else expect(compile().matches(text)).toBe(expected);
});

test.each([
  ['**/b', 'b', true],
  ['**/b', 'a/b', true],
  ['**/b', 'a/c/b', true],
  ['**/b', 'ab', false],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['a/**', 'a/x/y', true],
  ['**', 'a/b', true],
  ['a', 'a/b', true],
  ['a', 'ab', false],
  ['a/b', 'a', false],
  ['*/c', 'a/c/d', true],
])('among directories, %j stands for %j or one above it: %s', (pattern, text, expected) => {
  const glob = compileGlob(pattern, { separator: '/', sets: true, directories: true });
  expect(glob.matchesPathOrParent(text)).toBe(expected);
});

test('a beginning or an end is the shortest or the longest', () => {
  const dots = compileGlob('*.');
  expect(dots.prefix('a.b.c', 'shortest')).toBe(2);
  expect(dots.prefix('a.b.c', 'longest')).toBe(4);
  expect(dots.prefix('abc', 'longest')).toBe(undefined);
  const tails = compileGlob('.*');
  expect(tails.suffix('a.b.c', 'shortest')).toBe(2);
  expect(tails.suffix('a.b.c', 'longest')).toBe(4);
  expect(compileGlob('😀*').prefix('😀a', 'longest')).toBe(3);
});

test.each([
  ['b', 'abcbd', 'aXcXd'],
  ['b*c', 'abbcbcbd', 'aXbd'],
  ['a?', 'aaaa', 'XX'],
  ['ab', 'aab', 'aX'],
  ['*', 'abc', 'X'],
  ['', 'abc', 'abc'],
  ['x', '', ''],
  ['😀', 'a😀b', 'aXb'],
])('replaces %j in %j to %j', (pattern, text, expected) => {
  expect(compileGlob(pattern).replace(text, 'X', 'all')).toBe(expected);
});

describe('a pattern of many wildcards', () => {
  const stars = `${'*a'.repeat(40)}*b`;
  const text = 'a'.repeat(20_000);
  test.each([
    ['matches', () => compileGlob(stars).matches(text)],
    ['prefix', () => compileGlob(stars).prefix(text, 'longest')],
    ['suffix', () => compileGlob(`b${'*a'.repeat(40)}`).suffix(text, 'shortest')],
    ['replace', () => compileGlob(stars).replace(text, '', 'all') !== text],
    [
      'path',
      () =>
        compileGlob('**/*a'.repeat(40), { separator: '/', directories: true }).matchesPathOrParent(
          'b'.repeat(4000),
        ),
    ],
  ])('takes time in proportion to the text: %s', (_, work) => {
    const start = process.cpuUsage();
    expect(work() || undefined).toBe(undefined);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2000);
  });
});

test('one that is longer than a page is refused', () => {
  expect(() => compileGlob('a'.repeat(4097))).toThrow('longer than 4096');
});
