import { expect, test } from 'vitest';
import { duplicateKey } from './duplicate-key.ts';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":[{"b":{},"c":1,"b":[]}]}', 'b'],
  ['{"a":"x","\\u0061":"y"}', 'a'],
  ['{"a":{},"b":["c","c"],"a":null}', 'a'],
])('%s has %s twice', (json, name) => {
  expect(duplicateKey(json)).toBe(name);
});

test.each([
  '{}',
  '"a"',
  '["a","a"]',
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
  '{"a":"},\\"a\\":{","b":"\\\\"}',
])('%s has no name twice', json => {
  expect(duplicateKey(json)).toBeUndefined();
});
