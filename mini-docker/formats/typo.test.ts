import { expect, test } from 'vitest';
import { distance, meant } from './typo.ts';

test('added, lost, changed and swapped letters count one each', () => {
  expect([
    distance('run', 'run'),
    distance('rnu', 'run'),
    distance('ru', 'run'),
    distance('rum', 'run'),
  ]).toEqual([0, 1, 1, 1]);
});

test('the command meant is found, and nothing is guessed from far away', () => {
  const words = ['run', 'rm', 'inspect', 'images', 'restart'];
  expect(meant('rnu', words)).toBe('run');
  expect(meant('insepct', words)).toBe('inspect');
  expect(meant('image', words)).toBe('images');
  expect(meant('frobnicate', words)).toBeUndefined();
});
