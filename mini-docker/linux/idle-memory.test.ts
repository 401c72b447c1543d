import { expect, test } from 'vitest';
import { programMappings, waitForRest } from './idle-memory.ts';

const SMAPS = `00400000-00746000 r--p 00000000 fe:00 703                    /opt/node
Rss:                3352 kB
Anonymous:             0 kB
0074a000-0074c000 r-xp 0034a000 fe:00 703                    /opt/node
Rss:               27856 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
7f0000000000-7f0000001000 r-xp 0034a000 fe:00 703            /opt/node
Anonymous:             4 kB
7f0000002000-7f0000003000 r-xp 00000000 fe:00 704            /usr/lib/libc.so.6
Anonymous:             0 kB
0074d000-0074e000 rw-p 0034c000 fe:00 703                    /opt/node
Anonymous:             0 kB
0dbb3000-0e5a2000 rw-p 00000000 00:00 0                      [heap]
Anonymous:          4000 kB
`;

test('only the program itself, unchanged, may be unmapped', () => {
  expect(programMappings(SMAPS, '/opt/node')).toEqual([
    { address: 0x400000, length: 0x346000 },
    { address: 0x74a000, length: 0x2000 },
  ]);
});

test('at rest is who is unused for three intervals, or hardly used for thirty', () => {
  const [unused, hardly, busy] = [1000, 40_000, 60_000];
  const after = (intervals: number[]): number => intervals.map(waitForRest()).indexOf(true) + 1;
  expect(after([busy, unused, unused, unused])).toBe(4);
  expect(after([unused, unused, busy, unused, unused, busy])).toBe(0);
  expect(after(Array(40).fill(hardly))).toBe(30);
  expect(after([...Array(29).fill(hardly), busy, ...Array(29).fill(hardly)])).toBe(0);
});
