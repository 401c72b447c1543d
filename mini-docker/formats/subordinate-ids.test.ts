import { expect, test } from 'vitest';
import { decodeSubordinateIds } from './subordinate-ids.ts';

const text = `# reserved
ann:100000:65536
bob:165536:65536
1000:300000:1000
ann:400000:10
ann:broken:1
ann:500000:0
annabel:600000:1
`;

test("a user has all ranges under the user's name and number, and no others", () => {
  expect(decodeSubordinateIds(text, 'ann', 1000)).toEqual([
    { first: 100_000, count: 65_536 },
    { first: 300_000, count: 1000 },
    { first: 400_000, count: 10 },
  ]);
  expect(decodeSubordinateIds(text, 'eve', 1001)).toEqual([]);
});
