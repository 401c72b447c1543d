import { expect, test } from 'vitest';
import { decodeBlkioV1 } from './stats.ts';
import { decodeIoStat } from './v2.ts';

test('v1: reads and writes are counted once', () => {
  const file =
    '254:0 Read 4096\n254:0 Write 0\n254:0 Sync 4096\n254:0 Async 0\n254:0 Discard 0\n254:0 Total 4096\nTotal 4096';
  expect(decodeBlkioV1(file)).toEqual([
    { major: 254, minor: 0, op: 'Read', value: 4096 },
    { major: 254, minor: 0, op: 'Write', value: 0 },
  ]);
});

test('v2: a device that was not used has no fields', () => {
  const file = '254:0 rbytes=8192 wbytes=1024 rios=2 wios=1 dbytes=0 dios=0\n7:0 \n';
  expect(decodeIoStat(file, { Read: 'rios', Write: 'wios' })).toEqual([
    { major: 254, minor: 0, op: 'Read', value: 2 },
    { major: 254, minor: 0, op: 'Write', value: 1 },
  ]);
});
