import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../formats/oci/digest.ts';
import { openBlobs } from './blobs.ts';
import { temporaryDirectory } from './testing/archives.ts';

const PIECES = ['one ', 'two ', 'three'].map(each => Buffer.from(each));
const WHOLE = Buffer.concat(PIECES);
const EXPECTED = { digest: digestOf(WHOLE), size: WHOLE.length };

async function* source(failure?: Error): AsyncGenerator<Uint8Array> {
  yield* PIECES.slice(0, 2);
  if (failure !== undefined) throw failure;
  yield* PIECES.slice(2);
}

async function store(directory: string) {
  const temporary = join(directory, 'temporary');
  await mkdir(temporary);
  const blobs = await openBlobs(join(directory, 'layout'), temporary);
  return { blobs, left: async () => [...readdirSync(temporary), ...(await blobs.list())] };
}

test('an arrival can be read while it arrives, and is a blob at its end', async () => {
  using box = temporaryDirectory();
  const { blobs, left } = await store(box.path);
  const seen: Uint8Array[] = [];
  for await (const piece of blobs.arrival(source(), EXPECTED)) {
    seen.push(piece);
    expect(blobs.size(EXPECTED.digest)).toBeUndefined();
  }
  expect(Buffer.concat(seen)).toEqual(WHOLE);
  expect(await left()).toEqual([EXPECTED.digest]);
});

test('a reader that stops, or never begins, does not stop the blob', async () => {
  for (const pieces of [0, 1, 3]) {
    using box = temporaryDirectory();
    const { blobs, left } = await store(box.path);
    const arrival = blobs.arrival(source(), EXPECTED);
    let read = 0;
    if (pieces > 0) for await (const _ of arrival) if (++read === pieces) break;
    expect(await arrival.finish()).toEqual(EXPECTED);
    expect(await arrival.finish()).toEqual(EXPECTED);
    expect(readFileSync(blobs.path(EXPECTED.digest))).toEqual(WHOLE);
    expect(await left()).toEqual([EXPECTED.digest]);
  }
});

test('content that differs from its announcement is reported to the reader and at the end, and nothing is left', async () => {
  for (const [wrong, message] of [
    [{ digest: digestOf('another') }, 'not what was announced'],
    [{ size: WHOLE.length + 1 }, 'bytes, not'],
    [{ size: 5 }, 'is longer than'],
  ] as const) {
    using box = temporaryDirectory();
    const { blobs, left } = await store(box.path);
    const arrival = blobs.arrival(source(), { ...EXPECTED, ...wrong });
    const reading = async () => {
      for await (const _ of arrival);
    };
    await expect(reading()).rejects.toThrow(message);
    await expect(arrival.finish()).rejects.toThrow(message);
    expect(await left()).toEqual([]);
  }
});

test("a source's failure is told, and nothing is left", async () => {
  using box = temporaryDirectory();
  const { blobs, left } = await store(box.path);
  const arrival = blobs.arrival(source(new Error('the line is dead')), EXPECTED);
  for await (const _ of arrival) break;
  await expect(arrival.finish()).rejects.toThrow('the line is dead');
  expect(await left()).toEqual([]);
});
