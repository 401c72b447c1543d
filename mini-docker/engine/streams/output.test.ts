import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Descriptor } from '../../linux/descriptor.ts';
import { pipe } from '../../linux/pipes.ts';
import { decodeLogLine } from './json-file-log.ts';
import { LogFile } from './log-file.ts';
import { readPosition } from './log-position.ts';
import { ContainerOutput, positionPath } from './output.ts';

let directory: string;
let path: string;
const warnings: string[] = [];
const warn = (message: string) => void warnings.push(message);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-output-'));
  path = join(directory, 'log');
  warnings.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(fd: number, log: { maxSize?: number; maxFiles?: number } = {}) {
  const from = readPosition(positionPath(directory))?.log;
  const file = new LogFile({ path, maxFiles: 1, warn, ...log }, from);
  return new ContainerOutput({ descriptors: { stdout: new Descriptor(fd) }, directory, log: file, warn });
}
const texts = (file = path) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => Buffer.from(decodeLogLine(line)!.data).toString());
const soon = () => sleep(150);

test('a program that prints nothing leaves neither journal nor position', async () => {
  const { readEnd, writeEnd } = pipe();
  const output = open(readEnd);
  closeSync(writeEnd);
  await output.finish(1000);
  output.close({ ended: true });
  closeSync(readEnd);
  expect(readdirSync(directory)).toEqual([]);
});

test('output becomes log lines, and a line waits for its end', async () => {
  const { readEnd, writeEnd } = pipe();
  const output = open(readEnd);
  writeSync(writeEnd, 'one\ntwo\nthr');
  await soon();
  expect(texts()).toEqual(['one\n', 'two\n']);
  writeSync(writeEnd, 'ee\nlast words');
  closeSync(writeEnd);
  await output.finish(1000);
  expect(texts()).toEqual(['one\n', 'two\n', 'three\n', 'last words']);
  output.close({ ended: true });
  closeSync(readEnd);
});

test('listeners get the bytes as they come, and the end', async () => {
  const { readEnd, writeEnd } = pipe();
  const output = open(readEnd);
  let heard = '';
  let over = false;
  output.listen(
    (_stream, data) => {
      heard += Buffer.from(data).toString();
    },
    () => {
      over = true;
    },
  );
  writeSync(writeEnd, 'prompt> ');
  await soon();
  expect(heard).toBe('prompt> ');
  expect(over).toBe(false);
  output.close({ ended: true });
  expect(over).toBe(true);
  expect(texts()).toEqual(['prompt> ']);
  closeSync(readEnd);
  closeSync(writeEnd);
});

test('a daemon that stops leaves what is not a line yet to the next one', async () => {
  const { readEnd, writeEnd } = pipe();
  const first = open(readEnd);
  writeSync(writeEnd, 'one\ntw');
  await soon();
  first.close({ ended: false });
  writeSync(writeEnd, 'o\n');
  const second = open(readEnd);
  closeSync(writeEnd);
  await second.finish(1000);
  second.close({ ended: true });
  expect(texts()).toEqual(['one\n', 'two\n']);
  closeSync(readEnd);
});

test('what a killed daemon had written to the log without saying so is not written twice', async () => {
  const { readEnd, writeEnd } = pipe();
  const first = open(readEnd);
  writeSync(writeEnd, 'one\n');
  await soon();
  const before = readFileSync(positionPath(directory));
  writeSync(writeEnd, 'two\n');
  await soon();
  first.close({ ended: false });
  writeFileSync(positionPath(directory), before);
  const second = open(readEnd);
  writeSync(writeEnd, 'three\n');
  closeSync(writeEnd);
  await second.finish(1000);
  second.close({ ended: true });
  expect(texts()).toEqual(['one\n', 'two\n', 'three\n']);
  closeSync(readEnd);
});

test('the log is rotated between lines, and the oldest file goes', async () => {
  const { readEnd, writeEnd } = pipe();
  const output = open(readEnd, { maxSize: 1000, maxFiles: 3 });
  for (let number = 0; number < 100; number++) writeSync(writeEnd, `line ${number}\n`);
  closeSync(writeEnd);
  await output.finish(1000);
  output.close({ ended: true });
  closeSync(readEnd);
  const kept = [`${path}.2`, `${path}.1`, path].flatMap(file => texts(file));
  expect(kept.at(-1)).toBe('line 99\n');
  const first = Number(kept[0]!.split(' ')[1]);
  expect(first).toBeGreaterThan(50);
  expect(kept).toEqual(Array.from({ length: 100 - first }, (_, index) => `line ${first + index}\n`));
  expect(existsSync(`${path}.3`)).toBe(false);
});

test('a full disk costs lines, said once, and the program is read on', async () => {
  const { readEnd, writeEnd } = pipe();
  path = '/dev/full';
  const output = open(readEnd);
  const child = spawn('sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done'], {
    stdio: ['ignore', writeEnd, 'inherit'],
  });
  closeSync(writeEnd);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  await output.finish(1000);
  expect(output.log!.lost).toBeGreaterThan(20_000);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('ENOSPC');
  output.close({ ended: true });
  closeSync(readEnd);
});

test('a megabyte a moment comes through whole', async () => {
  const { readEnd, writeEnd } = pipe();
  const output = open(readEnd);
  let heard = 0;
  output.listen(
    (_stream, data) => {
      heard += data.length;
    },
    () => {},
  );
  const child = spawn('sh', ['-c', 'head -c 20000000 /dev/zero | tr "\\0" x'], {
    stdio: ['ignore', writeEnd, 'inherit'],
  });
  closeSync(writeEnd);
  await once(child, 'exit');
  await output.finish(5000);
  output.close({ ended: true });
  closeSync(readEnd);
  expect(heard).toBe(20_000_000);
  expect(texts().reduce((sum, text) => sum + text.length, 0)).toBe(20_000_000);
  expect(Math.max(...texts().map(text => text.length))).toBe(16_384);
});
