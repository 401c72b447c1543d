import { expect, test } from 'vitest';
import { Latest } from './latest.ts';

test('as many values stay as it may keep, those that were used last, and each of the others is dropped once', () => {
  const made: string[] = [];
  const dropped: string[] = [];
  const latest = new Latest<string, string>(2, value => dropped.push(value));
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) {
    const value = latest.get(key, () => {
      made.push(key);
      return key.toUpperCase();
    });
    expect(value).toBe(key.toUpperCase());
  }
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  expect(dropped).toEqual(['B', 'C']);
});
