import { expect, test } from 'vitest';
import { checkedName, randomName } from './names.ts';

test('chosen names are valid and never taken ones', () => {
  const taken = new Set<string>();
  for (let count = 0; count < 500; count++) {
    const name = randomName(each => taken.has(each));
    expect(taken.has(name)).toBe(false);
    expect(checkedName(name)).toBe(name);
    taken.add(name);
  }
});

test('a name is found even when nearly all are taken', () => {
  let refusals = 40;
  expect(randomName(() => refusals-- > 0)).toMatch(/^[a-z]+_[a-z]+\d+$/);
});

test('names that docker refuses are refused', () => {
  for (const name of ['', 'a', '-a', 'a b', 'a/b', '..', 'ü1', 'a\nb', '/']) {
    expect(() => checkedName(name)).toThrow(/Invalid container name/);
  }
  expect(checkedName('/web.1_a-b')).toBe('web.1_a-b');
});
