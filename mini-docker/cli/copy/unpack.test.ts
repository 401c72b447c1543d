// `cp` from a container whose archive wants to do harm to the machine that unpacks it.
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unpack } from './unpack.ts';

let directory: string;
let into: string;
let outside: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cp-unpack-'));
  [into, outside] = [join(directory, 'into'), join(directory, 'outside')];
  for (const each of [into, outside]) mkdirSync(each, { mode: 0o700 });
  writeFileSync(join(outside, 'file'), 'untouched', { mode: 0o600 });
});
afterEach(() => {
  expect(readdirSync(outside)).toEqual(['file']);
  expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('untouched');
  expect([statSync(outside).mode & 0o7777, statSync(join(outside, 'file')).mode & 0o7777]).toEqual([
    0o700, 0o600,
  ]);
  rmSync(directory, { recursive: true });
});

type Entry = Partial<Header> & { name: string };

async function copy(...entries: Entry[]): Promise<void> {
  const archive = pack();
  for (const entry of entries) {
    if (entry.type === undefined) archive.entry(entry, 'content');
    else archive.entry(entry);
  }
  archive.finalize();
  const bytes = archive as unknown as AsyncIterable<Uint8Array>;
  await unpack(bytes, { into, nameOf: name => name, owners: false });
}

test('a directory that becomes a link afterwards is refused, and what the link leads to stays as it is', async () => {
  const long = new Date(1_000_000_000_000);
  const copied = copy(
    { name: 'trap', type: 'directory', mode: 0o777, mtime: long },
    { name: 'trap', type: 'symlink', linkname: outside },
  );
  await expect(copied).rejects.toThrow('cannot overwrite directory');
  expect(lstatSync(join(into, 'trap')).isDirectory()).toBe(true);
  expect(statSync(outside).mtime).not.toEqual(long);
});

test('nothing is written through a link that the archive has made', async () => {
  const link: Entry = { name: 'link', type: 'symlink', linkname: outside };
  await expect(copy(link, { name: 'link/file' })).rejects.toThrow('refusing to copy through');
  await copy({ name: 'name', type: 'symlink', linkname: join(outside, 'file') }, { name: 'name' });
  expect(readFileSync(join(into, 'name'), 'utf8')).toBe('content');
});

test('names lead nowhere else', async () => {
  await expect(copy({ name: '../outside/file' })).rejects.toThrow('it leaves the destination');
  await expect(copy({ name: 'x', type: 'link', linkname: '../outside/file' })).rejects.toThrow(
    'it leaves the destination',
  );
  await copy({ name: join(outside, 'file') });
  expect(readFileSync(join(into, outside, 'file'), 'utf8')).toBe('content');
});

test("set-id bits are dropped from files that become ours, and kept with the container's owners", async () => {
  await copy({ name: 'su', mode: 0o6755 }, { name: 'd', type: 'directory', mode: 0o3777 });
  expect([statSync(join(into, 'su')).mode, statSync(join(into, 'd')).mode]).toEqual([0o100755, 0o041777]);
});
