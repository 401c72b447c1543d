import { closeSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pipe } from './pipes.ts';
import { watchReadable } from './readable.ts';

const soon = () => sleep(150);

test('a pipe that has something in it is told, and nothing is taken out of it', async () => {
  const { readEnd, writeEnd } = pipe();
  let told = 0;
  writeSync(writeEnd, 'before');
  const watch = watchReadable(readEnd, () => told++);
  await expect.poll(() => told).toBe(1);
  writeSync(writeEnd, ' and after');
  await expect.poll(() => told).toBe(2);
  const bytes = Buffer.alloc(100);
  expect(bytes.toString('utf8', 0, readSync(readEnd, bytes))).toBe('before and after');
  closeSync(writeEnd);
  await expect.poll(() => told).toBe(3);
  watch.stop();
  closeSync(readEnd);
});

test('many pipes are watched at once, and none after stop', async () => {
  const pipes = Array.from({ length: 150 }, () => pipe());
  const told = new Map<number, number>();
  const watches = pipes.map(({ readEnd }) =>
    watchReadable(readEnd, () => told.set(readEnd, (told.get(readEnd) ?? 0) + 1)),
  );
  for (const { writeEnd } of pipes) writeSync(writeEnd, 'x');
  await expect.poll(() => told.size).toBe(150);
  for (const watch of watches) watch.stop();
  for (const { writeEnd } of pipes) writeSync(writeEnd, 'x');
  await soon();
  expect([...told.values()].every(count => count === 1)).toBe(true);
  const again = watchReadable(pipes[0]!.readEnd, () => told.set(-1, 1));
  await expect.poll(() => told.get(-1)).toBe(1);
  again.stop();
  for (const { readEnd, writeEnd } of pipes) {
    closeSync(readEnd);
    closeSync(writeEnd);
  }
});
