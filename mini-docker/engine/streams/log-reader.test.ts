import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeLogLine } from './json-file-log.ts';
import { LogFile } from './log-file.ts';
import { openLog, type ReadLogOptions, readLog } from './log-reader.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-log-'));
  path = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const warn = () => {};
const line = (number: number) =>
  encodeLogLine({ stream: 'stdout', time: BigInt(number), data: Buffer.from(`${number}\n`) });
function write(file: LogFile, from: number, to: number) {
  for (let number = from; number < to; number++) {
    if (file.isFullFor(line(number).length, 0)) file.rotate();
    file.append(line(number));
  }
}
async function read(options: Omit<ReadLogOptions, 'path'> = {}, numbers: number[] = []): Promise<number[]> {
  for await (const { data } of readLog({ path, ...options }))
    numbers.push(Number(Buffer.from(data).toString()));
  return numbers;
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('a container that wrote nothing has an empty log', async () => {
  expect(await read()).toEqual([]);
  expect(await read({ tail: 5 })).toEqual([]);
});

test('an opened log is read whole, although its container is removed before the first line', async () => {
  const file = new LogFile({ path, maxFiles: 4, maxSize: 700, warn });
  write(file, 0, 20);
  const all = await read();
  const opened = await openLog({ path, follow: file });
  rmSync(directory, { recursive: true });
  file.close();
  const numbers: number[] = [];
  for await (const { data } of opened) numbers.push(Number(Buffer.from(data).toString()));
  expect(numbers).toEqual(all);
  expect(all.length).toBeGreaterThan(10);
});

test('all lines are read, over rotated files, or the last of them', async () => {
  const file = new LogFile({ path, maxFiles: 4, maxSize: 700, warn });
  write(file, 0, 30);
  const all = await read();
  expect(all.at(-1)).toBe(29);
  expect(all.length).toBeGreaterThan(15);
  expect(all).toEqual(range(all[0]!, 30));
  for (const tail of [0, 1, 2, 7, 8, 9, 12, 15])
    expect(await read({ tail }), `tail ${tail}`).toEqual(range(30 - tail, 30));
  expect(await read({ tail: 1000 })).toEqual(all);
});

test('since and until cut a piece out', async () => {
  write(new LogFile({ path, maxFiles: 1, warn }), 0, 20);
  expect(await read({ since: 5n, until: 9n })).toEqual([5, 6, 7, 8, 9]);
  expect(await read({ tail: 3, since: 18n })).toEqual([18, 19]);
});

test('a log larger than a block is read from its end as from its beginning', async () => {
  write(new LogFile({ path, maxFiles: 1, warn }), 0, 10_000);
  expect(await read()).toEqual(range(0, 10_000));
  expect(await read({ tail: 6000 })).toEqual(range(4000, 10_000));
});

test('following continues with new lines, across rotations, and ends with the log', async () => {
  const file = new LogFile({ path, maxFiles: 3, maxSize: 700, warn });
  write(file, 0, 5);
  const seen: number[] = [];
  const following = read({ follow: file, tail: 2 }, seen);
  for (let from = 5; from < 100; from += 5) {
    // A reader slower than two rotations has missed lines, as it should.
    await expect.poll(() => seen.at(-1), { interval: 1 }).toBe(from - 1);
    write(file, from, from + 5);
  }
  file.close();
  expect(await following).toEqual(range(3, 100));
});

test('following from before the first line', async () => {
  const file = new LogFile({ path, maxFiles: 1, warn });
  const following = read({ follow: file });
  await sleep(10);
  write(file, 0, 3);
  file.close();
  expect(await following).toEqual([0, 1, 2]);
});

test('a follower that leaves, or whose time is over, is released', async () => {
  const file = new LogFile({ path, maxFiles: 1, warn });
  write(file, 0, 2);
  const leave = new AbortController();
  const following = read({ follow: file, signal: leave.signal });
  setTimeout(() => leave.abort(), 20);
  expect(await following).toEqual([0, 1]);
  const until = BigInt(Date.now() + 50) * 1_000_000n;
  expect(await read({ follow: file, until })).toEqual([0, 1]);
  file.close();
});
