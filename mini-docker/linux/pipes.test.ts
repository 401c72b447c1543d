import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call } from './call.ts';
import { F } from './constants.ts';
import { pipe, readableOf, writableOf } from './pipes.ts';
import { fcntl } from './syscalls.ts';

test('what goes into a pipe comes out of it, to the end, and both streams close their ends', async () => {
  const { readEnd, writeEnd } = pipe();
  const [reader, writer] = [readableOf(readEnd), writableOf(writeEnd)];
  const text = 'x'.repeat(1_000_000);
  writer.end(text);
  const chunks = await reader.toArray();
  expect(Buffer.concat(chunks).toString()).toBe(text);
  await Promise.all([reader, writer].map(stream => stream.closed || once(stream, 'close')));
  for (const fd of [readEnd, writeEnd]) expect(() => fstatSync(fd)).toThrow(/EBADF/);
});

test('a program that is started does not inherit a pipe unless that is asked for', () => {
  const pipes = [pipe(), pipe({ cloexec: false })];
  const flags = pipes.flatMap(ends => [ends.readEnd, ends.writeEnd]).map(fd => call(fcntl(fd, F.GETFD, 0)));
  expect(flags).toEqual([1, 1, 0, 0]);
  for (const fd of pipes.flatMap(ends => [ends.readEnd, ends.writeEnd])) closeSync(fd);
});

test('a pipe holds as much as asked for; more than is allowed is no error', () => {
  const pipes = [pipe({ capacity: 1 << 20 }), pipe({ capacity: 1 << 30 })];
  expect(call(fcntl(pipes[0]!.readEnd, F.GETPIPE_SZ, 0))).toBe(1 << 20);
  for (const fd of pipes.flatMap(ends => [ends.readEnd, ends.writeEnd])) closeSync(fd);
});

test('a reader that is gone is an error EPIPE for the writer', async () => {
  const { readEnd, writeEnd } = pipe();
  closeSync(readEnd);
  const writer = writableOf(writeEnd);
  writer.write('x');
  const [error] = await once(writer, 'error');
  expect(error.code).toBe('EPIPE');
});

test('a FIFO that is held open returns what was written, and then waits', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pipes-'));
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Read-write: never an end of file, and nothing lost between two readers.
  const keeper = openSync(fifo, 'r+');
  const first = readableOf(openSync(fifo, 'r'));
  writeSync(keeper, 'one');
  expect(String((await once(first, 'data'))[0])).toBe('one');
  first.destroy();
  await once(first, 'close');
  writeSync(keeper, 'two');
  const buffer = Buffer.alloc(10);
  expect(buffer.toString('utf8', 0, readSync(keeper, buffer))).toBe('two');
  closeSync(keeper);
  rmSync(directory, { recursive: true });
});
