import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeName, encodeName } from '../byte-names.ts';
import { encodeEntry } from './encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from './entry.ts';
import { createTarReader } from './reader.ts';

interface Read {
  entry: TarEntry;
  content: Buffer;
  extents: number;
}

/** Reads the archive from pieces of `step` bytes. */
function readAll(archive: Buffer, step = archive.length): Read[] {
  const files: Read[] = [];
  const reader = createTarReader({
    entry: entry => files.push({ entry, content: Buffer.alloc(entry.size), extents: 0 }),
    data: (bytes, position) => {
      files.at(-1)!.content.set(bytes, position);
      files.at(-1)!.extents++;
    },
    end() {},
  });
  for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step));
  reader.finish();
  return files;
}

const archiveOf = (...entries: [TarEntry, Buffer?][]): Buffer =>
  Buffer.concat([
    ...entries.flatMap(([entry, content = Buffer.alloc(0)]) => [
      encodeEntry({ ...entry, size: content.length }),
      content,
      Buffer.alloc(padding(content.length)),
    ]),
    END_OF_ARCHIVE,
  ]);

const plain: TarEntry = { path: 'a', type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tar-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each<[string, Partial<TarEntry>]>([
  ['a short name', {}],
  ['a name of 100 bytes', { path: 'n'.repeat(100) }],
  ['a long path', { path: `${'d'.repeat(120)}/${'n'.repeat(90)}` }],
  ['a name too long for ustar', { path: 'n'.repeat(255) }],
  ['a path of 3,000 bytes', { path: Array(30).fill('x'.repeat(99)).join('/') }],
  ['a name that is not ASCII', { path: 'nähe/日本/😀' }],
  ['a name that is not UTF-8', { path: decodeName(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x80])) }],
  ['a directory', { type: 'directory', mode: 0o1777 }],
  ['a symbolic link', { type: 'symlink', linkname: '../b', mode: 0o777 }],
  ['a long link', { type: 'symlink', linkname: 'l'.repeat(300) }],
  ['a hard link', { type: 'hardlink', linkname: 'b' }],
  ['a device', { type: 'character', major: 1, minor: 3 }],
  ['a pipe', { type: 'fifo' }],
  ['large ids', { uid: 4_000_000_000, gid: 3_000_000_000 }],
  ['nanoseconds', { mtime: 1_700_000_000_123_456_789n }],
  ['a time before 1970', { mtime: -5_000_000_001n }],
  ['setuid', { mode: 0o4755 }],
  ['a binary attribute', { xattrs: new Map([['security.capability', Buffer.from([1, 0, 10, 61, 255])]]) }],
  [
    'attributes with odd names',
    {
      xattrs: new Map(
        ['user.\udcff', 'user.50%', 'user.a\n=', 'user.a=b%3D', 'user.a%25'].map(name => [
          name,
          Buffer.from('v'),
        ]),
      ),
    },
  ],
])('%s comes back as it was written', (_, part) => {
  const entry = { ...plain, ...part };
  const archive = archiveOf([entry]);
  for (const step of [archive.length, 700, 1]) {
    expect(readAll(archive, step).map(file => file.entry)).toEqual([entry]);
  }
});

test('contents come back whatever the pieces they arrive in', () => {
  const contents = [0, 1, 511, 512, 513, 5000].map(size => Buffer.alloc(size, size & 0xff));
  const archive = archiveOf(
    ...contents.map((content, i): [TarEntry, Buffer] => [{ ...plain, path: `${i}` }, content]),
  );
  for (const step of [1, 100, 512, 513, 10_000]) {
    expect(readAll(archive, step).map(file => file.content)).toEqual(contents);
  }
});

test('GNU tar unpacks what we write', () => {
  const entry = { ...plain, path: 'ü'.repeat(100), mtime: 1_700_000_000_500_000_000n };
  writeFileSync(join(directory, 'ours.tar'), archiveOf([entry, Buffer.from('hello')]));
  expect(execFileSync('tar', ['-xOf', join(directory, 'ours.tar')], { encoding: 'utf8' })).toBe('hello');
});

test.each([
  ['--format=gnu'],
  ['--format=ustar'],
  ['--format=v7'],
  ['--format=pax'],
  ['--format=gnu', '-S'],
  ['--format=pax', '-S', '--sparse-version=0.0'],
  ['--format=pax', '-S', '--sparse-version=0.1'],
  ['--format=pax', '-S', '--sparse-version=1.0'],
])('we read what GNU tar %s %s %s writes', (...options) => {
  const tree = join(directory, 'tree');
  execFileSync('sh', [
    '-ec',
    `
    rm -rf ${tree}; mkdir -p ${tree}/d; cd ${tree}
    echo content > d/file; ln -s file d/link; ln d/file hard
    truncate -s 3M d/sparse
    for at in 0 100000 1000000 2000000 2500000; do
      printf data | dd of=d/sparse bs=1 seek=$at conv=notrunc status=none
    done`,
  ]);
  const archive = execFileSync('tar', [...options, '-C', tree, '--sort=name', '-cf', '-', '.'], {
    maxBuffer: 2 ** 24,
  });
  for (const step of [archive.length, 1000]) {
    const files = new Map(readAll(archive, step).map(file => [file.entry.path, file]));
    expect([...files.keys()]).toEqual(['.', './d', './d/file', './d/link', './d/sparse', './hard']);
    expect(files.get('./d/file')!.content.toString()).toBe('content\n');
    expect(files.get('./d/link')!.entry.linkname).toBe('file');
    expect(files.get('./hard')!.entry).toMatchObject({ type: 'hardlink', linkname: './d/file' });
    const sparse = files.get('./d/sparse')!;
    expect(sparse.content.length).toBe(3 * 2 ** 20);
    for (const at of [0, 100_000, 1_000_000, 2_500_000]) {
      expect(sparse.content.toString('latin1', at, at + 4)).toBe('data');
    }
  }
});

test.each<[string, (archive: Buffer) => Buffer | undefined, string]>([
  ['a wrong checksum', archive => void archive.writeUInt8(0x7a, 0), 'wrong checksum'],
  ['an end in the middle', archive => archive.subarray(0, 700), 'ends in the middle'],
  ['half a header', archive => archive.subarray(0, 100), 'ends in the middle'],
])('%s is an error', (_, damage, message) => {
  const archive = archiveOf([plain, Buffer.alloc(1000)]);
  expect(() => readAll(damage(archive) ?? archive)).toThrow(message);
});

test('an archive may end with the content of its last entry: docker build writes such ones', () => {
  const archive = archiveOf([plain, Buffer.from('content')]).subarray(0, 512 + 'content'.length);
  expect(readAll(archive)[0]!.content.toString()).toBe('content');
});

test('a pax header of a size without honest use is refused', () => {
  const huge = new Map([['user.x', Buffer.alloc(2 ** 20 + 1)]]);
  expect(() => readAll(archiveOf([{ ...plain, xattrs: huge }]))).toThrow('too large');
});

test('an unknown type is refused by its letter', () => {
  const archive = archiveOf([plain]);
  const before = archive[156]!;
  archive[156] = 'Q'.charCodeAt(0);
  const sum = Number.parseInt(archive.toString('latin1', 148, 154), 8) + archive[156]! - before;
  archive.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
  expect(() => readAll(archive)).toThrow('unknown type ("Q")');
});

test('every name of bytes goes through a string and back', () => {
  for (let first = 0; first < 256; first++) {
    const bytes = Buffer.from([0x2f, first, 0x80, first, 0xe2, 0x82, 0xac]);
    expect(encodeName(decodeName(bytes))).toEqual(bytes);
  }
});
