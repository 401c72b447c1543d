import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SpillQueue } from './spill-queue.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-spill-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const queue = (inMemory: number) => new SpillQueue({ tags: ['a', 'b'], directory, inMemory });
const openSpills = () =>
  readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;

test('a late reader gets everything in order, including what did not fit into memory', async () => {
  const filled = queue(10);
  const sent = Array.from({ length: 100 }, (_, index) => `item ${index}`);
  for (const [index, text] of sent.entries()) filled.push(index % 3 === 0 ? 'a' : 'b', Buffer.from(text));
  expect(openSpills()).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
  filled.end();
  const got: string[] = [];
  for await (const { tag, data } of filled) {
    expect(tag).toBe(got.length % 3 === 0 ? 'a' : 'b');
    got.push(Buffer.from(data).toString());
  }
  expect(got).toEqual(sent);
  expect(openSpills()).toBe(0);
});

test('order is kept while writer and reader go on at once', async () => {
  const running = queue(20);
  let sent = 0;
  const timer = setInterval(() => {
    for (let count = 0; count < 10; count++) running.push('a', Buffer.from(`${sent++}`));
    if (sent >= 500) {
      clearInterval(timer);
      running.end();
    }
  }, 1);
  let got = 0;
  for await (const { data } of running) {
    expect(Buffer.from(data).toString()).toBe(`${got++}`);
    if (got % 50 === 0) await sleep(5);
  }
  expect(got).toBe(sent);
});

test('a reader that leaves releases the file', async () => {
  const left = queue(1);
  for (let count = 0; count < 5; count++) left.push('b', Buffer.from('xx'));
  for await (const _ of left) break;
  expect(openSpills()).toBe(0);
  left.push('b', Buffer.from('xx'));
  expect(openSpills()).toBe(0);
});

test('what has been read is given back while the reader is still behind', async () => {
  const behind = new SpillQueue({ tags: ['a'], directory, inMemory: 1, fileSize: 50, onDisk: 200 });
  const reader = behind[Symbol.asyncIterator]();
  let sent = 0;
  for (; sent < 6; sent++) behind.push('a', Buffer.from(`item ${100 + sent}`));
  for (let round = 0; round < 100; round++) {
    expect((await reader.next()).value.data.toString()).toBe(`item ${100 + round}`);
    behind.push('a', Buffer.from(`item ${100 + sent++}`));
    expect(openSpills()).toBeLessThanOrEqual(4);
  }
  await reader.return?.();
  expect(openSpills()).toBe(0);
});

test('a reader who falls too far behind gets what there is, and is told where it ends', async () => {
  const endless = new SpillQueue({ tags: ['a'], directory, inMemory: 1, onDisk: 60 });
  for (let count = 0; count < 100; count++) endless.push('a', Buffer.from('0123456789'));
  const got: string[] = [];
  const read = async () => {
    for await (const { data } of endless) got.push(Buffer.from(data).toString());
  };
  await expect(read()).rejects.toThrow(/^output is missing from here on: .*more than 60 bytes/);
  expect(got).toEqual(Array(4).fill('0123456789'));
});

test('a reader whose output cannot be kept is told where it ends', async () => {
  const elsewhere = new SpillQueue({ tags: ['a'], directory: join(directory, 'missing'), inMemory: 5 });
  for (const text of ['kept', 'lost', 'late']) elsewhere.push('a', Buffer.from(text));
  const got: string[] = [];
  const read = async () => {
    for await (const { data } of elsewhere) got.push(Buffer.from(data).toString());
  };

  await expect(read()).rejects.toThrow(/^output is missing from here on: .*ENOENT/);
  expect(got).toEqual(['kept']);
});
