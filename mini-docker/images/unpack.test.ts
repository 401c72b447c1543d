import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pathArg } from '../formats/byte-names.ts';
import { digestOf } from '../formats/oci/digest.ts';
import type { TarEntry } from '../formats/tar/entry.ts';
import { O } from '../linux/constants.ts';
import { isWhiteout, statusAt } from '../linux/directory.ts';
import { openInRoot, type PathArg, withFd } from '../linux/in-root.ts';
import { xattr } from '../linux/xattrs.ts';
import { unpackTar } from './layers.ts';
import {
  chunks,
  type TestEntry,
  tarOf,
  temporaryDirectory,
  textOf,
  withDirectory,
} from './testing/archives.ts';
import { createUnpacker } from './unpack.ts';
import { type UnpackArchiveOptions, unpackArchive } from './unpack-archive.ts';
import { OPAQUE_XATTR } from './whiteouts.ts';

const LIMIT = 2 ** 30;

/** Unpacks into BOX/layer; BOX/secret is what no archive may reach. */
async function unpackInto(box: string, ...entries: TestEntry[]): Promise<string> {
  const directory = join(box, 'layer');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(box, 'secret'), 'untouched');
  await unpackTar({ directory, source: chunks(tarOf(...entries)), limit: LIMIT });
  return directory;
}

const attribute = (directory: string, path: string, name: PathArg): string | undefined =>
  withDirectory(directory, fd =>
    withFd(openInRoot(fd, path, O.RDONLY), file => xattr(file, name)?.toString('latin1')),
  );

const hidden = (directory: string, path: string): boolean =>
  withDirectory(directory, fd => {
    const status = statusAt(fd, path);
    return status !== undefined && isWhiteout(status);
  });

describe('entries of a layer', () => {
  test('files come with owner, permissions and time', async () => {
    using box = temporaryDirectory();
    const mtime = 1_600_000_000_123_456_789n;
    const layer = await unpackInto(
      box.path,
      { path: 'd', type: 'directory', mode: 0o1777, uid: 7, gid: 8, mtime },
      { path: 'd/su', mode: 0o6755, uid: 1000, gid: 1001, mtime, content: 'program' },
    );
    expect(textOf(layer, 'd/su')).toBe('program');
    for (const [path, mode, uid, gid] of [
      ['d', 0o41777, 7, 8],
      ['d/su', 0o106755, 1000, 1001],
    ] as const) {
      const stat = lstatSync(join(layer, path), { bigint: true });
      expect([stat.mode, stat.uid, stat.gid, stat.mtimeNs]).toEqual([
        BigInt(mode),
        BigInt(uid),
        BigInt(gid),
        mtime,
      ]);
    }
  });

  test('hard links are one file, and links may lead nowhere', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'a', content: 'x' },
      { path: 'd/b', type: 'hardlink', linkname: 'a' },
      { path: 'link', type: 'symlink', linkname: '/nowhere/at/all', uid: 5, mtime: 1_000_000_000n },
      { path: 'second', type: 'hardlink', linkname: 'link' },
    );
    expect(statSync(join(layer, 'a')).ino).toBe(statSync(join(layer, 'd/b')).ino);
    expect(readlinkSync(join(layer, 'second'))).toBe('/nowhere/at/all');
    expect(lstatSync(join(layer, 'link'))).toMatchObject({ uid: 5, mtimeMs: 1000, nlink: 2 });
  });

  test('devices and pipes come with their numbers and permissions', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'null', type: 'character', major: 1, minor: 3, mode: 0o666 },
      { path: 'disk', type: 'block', major: 259, minor: 70000, mode: 0o600, gid: 6 },
      { path: 'pipe', type: 'fifo', mode: 0o622 },
    );
    const described = execFileSync('stat', ['-c', '%F %a %t:%T %g', 'null', 'disk', 'pipe'], {
      cwd: layer,
      encoding: 'utf8',
    });
    expect(described).toBe(
      'character special file 666 1:3 0\nblock special file 600 103:11170 6\nfifo 622 0:0 0\n',
    );
  });

  test('attributes that containers may have are kept, and those of overlayfs are not', async () => {
    using box = temporaryDirectory();
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const layer = await unpackInto(box.path, {
      path: 'ping',
      mode: 0o755,
      xattrs: new Map([
        ['security.capability', capability],
        ['user.note', Buffer.from('a\nb\0c')],
        ['user.=\udcff%', Buffer.from('x')],
        ['user.overlay.redirect', Buffer.from('/etc')],
        ['trusted.overlay.redirect', Buffer.from('/etc')],
        ['trusted.other', Buffer.from('x')],
      ]),
    });
    expect(attribute(layer, 'ping', 'security.capability')).toBe(capability.toString('latin1'));
    expect(attribute(layer, 'ping', 'user.note')).toBe('a\nb\0c');
    expect(attribute(layer, 'ping', pathArg('user.=\udcff%'))).toBe('x');
    expect(attribute(layer, 'ping', 'trusted.overlay.redirect')).toBeUndefined();
    expect(attribute(layer, 'ping', 'user.overlay.redirect')).toBeUndefined();
    expect(attribute(layer, 'ping', 'trusted.other')).toBeUndefined();
  });

  test('directories that the archive does not name are made', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(box.path, { path: 'a/b/c/file', content: 'x' });
    expect(textOf(layer, 'a/b/c/file')).toBe('x');
    expect(statSync(join(layer, 'a/b')).mode & 0o7777).toBe(0o755);
  });

  test('names may be long, strange, and not UTF-8', async () => {
    using box = temporaryDirectory();
    const long = 'n'.repeat(255);
    const layer = await unpackInto(
      box.path,
      { path: `${'d'.repeat(255)}/${long}`, content: '1' },
      { path: 'line\nbreak', content: '2' },
      { path: 'bad\udcff', content: '3' },
    );
    const names = readdirSync(layer, { encoding: 'buffer' }).map(name => name.toString('latin1'));
    expect(names.sort()).toEqual(['bad\xff', 'd'.repeat(255), 'line\nbreak']);
    expect(textOf(layer, 'd'.repeat(255), long)).toBe('1');
  });

  test('a sparse file stays one', async () => {
    using box = temporaryDirectory();
    execFileSync('sh', ['-c', 'truncate -s 100M sparse; tar -Sc --format=pax -f sparse.tar sparse'], {
      cwd: box.path,
    });
    mkdirSync(join(box.path, 'layer'));
    const archive = await import('node:fs').then(fs => fs.readFileSync(join(box.path, 'sparse.tar')));
    await unpackTar({ directory: join(box.path, 'layer'), source: chunks(archive), limit: 10_000 });
    const stat = statSync(join(box.path, 'layer/sparse'));
    expect(stat.size).toBe(100 * 2 ** 20);
    expect(stat.blocks).toBeLessThan(100);
  });

  test.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    [
      'gzip in two members',
      (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('a %s layer is known by the digest of its tar', async (_, compress) => {
    using box = temporaryDirectory();
    const tar = tarOf({ path: 'a', content: 'x'.repeat(5000) });
    const unpacked = await unpackTar({
      directory: box.path,
      source: chunks(compress(tar), 100),
      limit: LIMIT,
    });
    expect(unpacked).toEqual({ diffId: digestOf(tar), size: 5000 });
    expect(textOf(box.path, 'a')).toBe('x'.repeat(5000));
  });
});

describe('whiteouts', () => {
  test("become overlayfs's, and .wh. files do not appear", async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'etc', type: 'directory' },
      { path: 'etc/.wh.passwd' },
      { path: 'var/.wh..wh..opq' },
      { path: '.wh..wh.plnk', type: 'directory' },
    );
    expect(hidden(layer, 'etc/passwd')).toBe(true);
    expect(attribute(layer, 'var', OPAQUE_XATTR)).toBe('y');
    expect(readdirSync(layer).sort()).toEqual(['etc', 'var']);
    expect(readdirSync(join(layer, 'etc'))).toEqual(['passwd']);
  });

  test('an overlay of two layers shows what the second leaves', async () => {
    using box = temporaryDirectory();
    const lower = await unpackInto(
      join(box.path, 'lower'),
      { path: 'keep', content: 'keep' },
      { path: 'gone', content: 'gone' },
      { path: 'dir/old', content: 'old' },
      { path: 'again/old', content: 'old' },
    );
    const upper = await unpackInto(
      join(box.path, 'upper'),
      { path: '.wh.gone' },
      { path: 'dir', type: 'directory' },
      { path: 'dir/.wh..wh..opq' },
      { path: 'dir/new', content: 'new' },
      { path: '.wh.again' },
      { path: 'again/new', content: 'new' },
    );
    mkdirSync(join(box.path, 'merged'));
    const script = `mount -t overlay overlay -o ro,lowerdir=${upper}:${lower} merged && find merged -type f | sort`;
    const files = execFileSync('unshare', ['-m', 'sh', '-c', script], { cwd: box.path, encoding: 'utf8' });
    expect(files).toBe('merged/again/new\nmerged/dir/new\nmerged/keep\n');
  });

  test.each([
    ['a file', { path: 'x', content: 'mine' } as TestEntry],
    ['a directory', { path: 'x', type: 'directory' } as TestEntry],
  ])('never hide %s of their own layer, in either order', async (_, entry) => {
    for (const entries of [
      [entry, { path: '.wh.x' }],
      [{ path: '.wh.x' }, entry],
    ]) {
      using box = temporaryDirectory();
      const layer = await unpackInto(box.path, ...entries);
      expect(hidden(layer, 'x')).toBe(false);
      if (entry.type === 'directory') expect(attribute(layer, 'x', OPAQUE_XATTR)).toBe('y');
      else expect(textOf(layer, 'x')).toBe('mine');
    }
  });

  test.each([['.wh.'], ['.wh..'], ['.wh...'], ['a/.wh...']])(
    'the forged whiteout %s is refused',
    async path => {
      using box = temporaryDirectory();
      await expect(unpackInto(box.path, { path: 'a', type: 'directory' }, { path })).rejects.toThrow(
        'forged whiteout',
      );
      expect(textOf(box.path, 'secret')).toBe('untouched');
    },
  );

  test('a device 0:0, which overlayfs would take for one, is refused', async () => {
    using box = temporaryDirectory();
    const forged = { path: 'etc', type: 'character' as const, major: 0, minor: 0 };
    await expect(unpackInto(box.path, forged)).rejects.toThrow('forged whiteout (device 0:0)');
  });

  test('a second name for one is refused', async () => {
    using box = temporaryDirectory();
    const link = { path: 'etc', type: 'hardlink' as const, linkname: 'x' };
    await expect(unpackInto(box.path, { path: '.wh.x' }, link)).rejects.toThrow('which is not there');
  });
});

describe('an archive for a container', () => {
  const into = (
    root: string,
    base: string,
    options: Partial<UnpackArchiveOptions>,
    ...entries: TestEntry[]
  ) => {
    const rootFd = openSync(root, 'r');
    const source = chunks(tarOf(...entries));
    return unpackArchive({ rootFd, base, source, whiteouts: false, limit: LIMIT, ...options }).finally(() =>
      closeSync(rootFd),
    );
  };

  test('is unpacked in a directory that links may lead to, inside', async () => {
    using box = temporaryDirectory();
    const root = join(box.path, 'root');
    mkdirSync(join(root, 'real'), { recursive: true });
    mkdirSync(join(box.path, 'real'));
    symlinkSync('/real', join(root, 'absolute'));
    symlinkSync('../../real', join(root, 'dots'));
    await into(root, '/absolute', {}, { path: 'a', content: '1' });
    await into(
      root,
      'dots/',
      {},
      { path: '.', type: 'directory', mode: 0o700 },
      { path: '.wh.b', content: '2' },
    );
    expect(readdirSync(join(root, 'real')).sort()).toEqual(['.wh.b', 'a']);
    expect(statSync(join(root, 'real')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(box.path, 'real'))).toEqual([]);
    await expect(into(root, 'real', {}, { path: '../x' })).rejects.toThrow();
  });

  test('may belong to one owner, and keeps directories and files apart when asked to', async () => {
    using box = temporaryDirectory();
    mkdirSync(join(box.path, 'd/full'), { recursive: true });
    writeFileSync(join(box.path, 'f'), 'old');
    await into(box.path, '', { owner: () => ({ uid: 3, gid: 4 }) }, { path: 'x', uid: 7, gid: 8 });
    expect(statSync(join(box.path, 'x'))).toMatchObject({ uid: 3, gid: 4 });
    await expect(into(box.path, '', { keepKinds: true }, { path: 'd', content: 'x' })).rejects.toThrow(
      'cannot overwrite the directory "d"',
    );
    await expect(into(box.path, '', { keepKinds: true }, { path: 'f', type: 'directory' })).rejects.toThrow(
      'cannot overwrite "f" with a directory',
    );
    await into(box.path, '', { keepKinds: true }, { path: 'f', content: 'new' });
    expect(textOf(box.path, 'f')).toBe('new');
    expect(existsSync(join(box.path, 'd/full'))).toBe(true);
  });
});

describe('a hostile archive', () => {
  test.each(['../secret', 'a/../../secret', '..', 'a/b/../../../secret', './../secret'])(
    'with the name %s is refused',
    async path => {
      using box = temporaryDirectory();
      await expect(unpackInto(box.path, { path, content: 'evil' })).rejects.toThrow('leads out of it');
      expect(textOf(box.path, 'secret')).toBe('untouched');
    },
  );

  test('with absolute names stays in its directory', async () => {
    using box = temporaryDirectory();
    const path = join(box.path, 'secret');
    const layer = await unpackInto(box.path, { path, content: 'evil' }, { path: '//x', content: 'y' });
    expect(textOf(box.path, 'secret')).toBe('untouched');
    expect(textOf(layer, path)).toBe('evil');
    expect(textOf(layer, 'x')).toBe('y');
  });

  test.each(['../secret', '../../secret', 'd/../../secret'])(
    'with a hard link to %s is refused',
    async linkname => {
      using box = temporaryDirectory();
      const link = { path: 'stolen', type: 'hardlink' as const, linkname };
      await expect(unpackInto(box.path, { path: 'd', type: 'directory' }, link)).rejects.toThrow(
        'leads out of it',
      );
      expect(existsSync(join(box.path, 'layer/stolen'))).toBe(false);
    },
  );

  test('with a hard link through a symbolic link gets nothing from outside', async () => {
    using box = temporaryDirectory();
    const entries: TestEntry[] = [
      { path: 'out', type: 'symlink', linkname: box.path },
      { path: 'up', type: 'symlink', linkname: '..' },
    ];
    for (const linkname of ['out/secret', 'up/secret', join(box.path, 'secret')]) {
      const link = { path: 'stolen', type: 'hardlink' as const, linkname };
      await expect(unpackInto(box.path, ...entries, link)).rejects.toThrow('which is not there');
    }
    expect(statSync(join(box.path, 'secret')).nlink).toBe(1);
  });

  test('with a hard link to a symbolic link writes to neither end of it', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'link', type: 'symlink', linkname: '../secret' },
      { path: 'hard', type: 'hardlink', linkname: 'link' },
      { path: 'hard', content: 'evil', uid: 99, mode: 0o777 },
    );
    expect(textOf(box.path, 'secret')).toBe('untouched');
    expect(statSync(join(box.path, 'secret')).uid).toBe(0);
    expect(textOf(layer, 'hard')).toBe('evil');
    expect(readlinkSync(join(layer, 'link'))).toBe('../secret');
  });

  test.each([
    ['an absolute link', '/'],
    ['dots', '../../../../../../..'],
  ])('that writes through %s writes inside', async (_, linkname) => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'escape', type: 'symlink', linkname },
      { path: 'escape/secret', content: 'evil' },
      { path: 'escape/made/by/us', content: 'evil' },
    );
    expect(textOf(box.path, 'secret')).toBe('untouched');
    expect(textOf(layer, 'secret')).toBe('evil');
    expect(textOf(layer, 'made/by/us')).toBe('evil');
  });

  test('that names a link twice replaces the link, not what it leads to', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'x', type: 'symlink', linkname: '../secret' },
      { path: 'x', content: 'evil', mode: 0o4777, uid: 12 },
      { path: 'y', type: 'symlink', linkname: '..' },
      { path: 'y', type: 'directory', mode: 0o777, uid: 12 },
      { path: 'z', type: 'symlink', linkname: '../secret' },
      { path: 'z', type: 'character', major: 1, minor: 3, mode: 0o777 },
    );
    expect(textOf(box.path, 'secret')).toBe('untouched');
    expect(statSync(join(box.path, 'secret'))).toMatchObject({ uid: 0, mode: 0o100644 });
    expect(statSync(box.path).uid).toBe(0);
    expect(textOf(layer, 'x')).toBe('evil');
    expect(lstatSync(join(layer, 'y')).isDirectory()).toBe(true);
  });

  test('that sets the times of a directory through a link leaves the outside alone', async () => {
    using box = temporaryDirectory();
    await unpackInto(
      box.path,
      { path: 'd', type: 'directory', mtime: 1n },
      { path: 'd', type: 'symlink', linkname: box.path },
    );
    expect(statSync(box.path).mtimeMs).toBeGreaterThan(1000);
  });

  test('with one name many times ends with the last', async () => {
    using box = temporaryDirectory();
    const layer = await unpackInto(
      box.path,
      { path: 'x/deep/file', content: '1' },
      { path: 'x', content: '2' },
      { path: './x', content: '3' },
      { path: 'x/', type: 'directory' },
      { path: 'x//y', content: '4' },
      { path: 'x', type: 'directory', mode: 0o700 },
    );
    expect(textOf(layer, 'x/y')).toBe('4');
    expect(statSync(join(layer, 'x')).mode & 0o777).toBe(0o700);
  });

  test('with files below a file is refused', async () => {
    using box = temporaryDirectory();
    await expect(unpackInto(box.path, { path: 'a' }, { path: 'a/b' })).rejects.toThrow(
      '"a", which is not a directory',
    );
  });

  test('with a loop of links is refused', async () => {
    using box = temporaryDirectory();
    const loop: TestEntry[] = [
      { path: 'a', type: 'symlink', linkname: 'b' },
      { path: 'b', type: 'symlink', linkname: 'a' },
    ];
    await expect(unpackInto(box.path, ...loop, { path: 'a/x' })).rejects.toThrow('ELOOP');
  });

  test('with a root that is a link is refused', async () => {
    using box = temporaryDirectory();
    await expect(unpackInto(box.path, { path: '.', type: 'symlink', linkname: '..' })).rejects.toThrow(
      'root is a',
    );
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('that grows out of all proportion (%s) is stopped at the limit', async (_, compress) => {
    using box = temporaryDirectory();
    const bomb = compress(tarOf({ path: 'zeros', content: Buffer.alloc(50_000_000) }));
    expect(bomb.length).toBeLessThan(100_000);
    const unpacking = unpackTar({ directory: box.path, source: chunks(bomb), limit: 1_000_000 });
    await expect(unpacking).rejects.toThrow('more than the 1000000 bytes allowed');
    expect(statSync(join(box.path, 'zeros')).size).toBeLessThanOrEqual(1_000_000);
  });

  test.each<[string, TestEntry[]]>([
    ['files', Array.from({ length: 2000 }, (_, index) => ({ path: `${index}` }))],
    ['whiteouts', Array.from({ length: 2000 }, (_, index) => ({ path: `.wh.${index}` }))],
    ['directories that it does not name', [{ path: `${'d/'.repeat(1000)}file` }]],
  ])('of many empty %s is stopped at the limit, too', async (_, entries) => {
    using box = temporaryDirectory();
    const unpacking = unpackTar({ directory: box.path, source: chunks(tarOf(...entries)), limit: 1_000_000 });
    await expect(unpacking).rejects.toThrow('more than the 1000000 bytes allowed');
  });

  test('of directories without number is not kept in memory', () => {
    using box = temporaryDirectory();
    const rootFd = openSync(box.path, 'r');
    const unpacker = createUnpacker({ rootFd, whiteouts: true, limit: LIMIT, memory: 10_000 });
    const directory: Omit<TarEntry, 'path'> = {
      type: 'directory',
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 0,
      mtime: 0n,
    };
    const unpack = (path: string) => unpacker.entry({ ...directory, path });
    for (let index = 0; index < 100; index++) unpack(`${index}`);
    expect(() => {
      for (let index = 0; index < 100; index++) unpack(`a-longer-name-${index}`);
    }).toThrow('too many directories');
    unpacker.close();
    closeSync(rootFd);
  });

  test.each([
    ['cut off', (tar: Buffer) => gzipSync(tar).subarray(0, 60), 'gzip data is damaged'],
    ['not tar at all', () => gzipSync(Buffer.alloc(2000, 'x')), 'not a tar archive'],
  ])('that is %s is an error of one line', async (_, make, message) => {
    using box = temporaryDirectory();
    const tar = make(tarOf({ path: 'a', content: 'x'.repeat(5000) }));
    await expect(unpackTar({ directory: box.path, source: chunks(tar), limit: LIMIT })).rejects.toThrow(
      message,
    );
  });
});
