import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTarReader } from '../formats/tar/reader.ts';
import { unpackTar } from './layers.ts';
import { type PackOptions, pack } from './pack.ts';
import { chunks, collect, temporaryDirectory } from './testing/archives.ts';

async function packed(path: string, options: Partial<PackOptions> = {}): Promise<Buffer> {
  const fd = openSync(path, 'r');
  try {
    return await collect(pack({ fd, whiteouts: false, ...options }));
  } finally {
    closeSync(fd);
  }
}

function pathsOf(archive: Buffer): string[] {
  const paths: string[] = [];
  const reader = createTarReader({ entry: ({ path }) => void paths.push(path), data() {}, end() {} });
  reader.write(archive);
  reader.finish();
  return paths;
}

/** Everything that a file system says of a tree. */
const listing = (path: string): string =>
  execFileSync(
    'sh',
    [
      '-c',
      `find . -mindepth 1 -printf '%p %y %#m %U:%G %T@ %l %n\\n' | sort
       find . -type f -exec sha256sum {} + | sort
       find . -type c -exec stat -c '%n %t:%T' {} + | sort
       getcap -r . 2>/dev/null || true`,
    ],
    { cwd: path, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
  );

const makeTree = (path: string): void => {
  mkdirSync(path);
  execFileSync(
    'sh',
    [
      '-ec',
      `mkdir -p d/e empty; echo hi > d/file; ln d/file d/e/hard; ln -s ../x d/link; mkfifo pipe; mknod null c 1 3
       chmod 4755 d/file; chown 1000:1001 d/file; chown -h 5:6 d/link; chmod 1777 empty
       head -c 200000 /dev/urandom > big; touch "$(printf 'bad\\377')" "$(printf '%0200d' 7)"
       mkdir -p $(printf 'p%.0s' $(seq 200)); touch $(printf 'p%.0s' $(seq 200))/$(printf 'q%.0s' $(seq 200))
       touch -d '2001-02-03 04:05:06.789012345' d/file; touch -d @5.5 d/e d`,
    ],
    { cwd: path },
  );
};

test('a tree that is packed and unpacked is the same tree', async () => {
  using box = temporaryDirectory();
  const tree = join(box.path, 'tree');
  makeTree(tree);
  const archive = await packed(tree);
  const copy = join(box.path, 'copy');
  mkdirSync(copy);
  await unpackTar({ directory: copy, source: chunks(archive), limit: 2 ** 30 });
  expect(listing(copy)).toBe(listing(tree));
  expect(await packed(copy)).toEqual(archive);
});

test('GNU tar makes the same tree of it', async () => {
  using box = temporaryDirectory();
  const tree = join(box.path, 'tree');
  makeTree(tree);
  const copy = join(box.path, 'copy');
  mkdirSync(copy);
  execFileSync('tar', ['-xpf', '-', '--numeric-owner'], { cwd: copy, input: await packed(tree) });
  expect(listing(copy)).toBe(listing(tree));
});

test('changes in an overlay can be applied elsewhere', async () => {
  using box = temporaryDirectory();
  const script = `
    mkdir lower upper work merged
    mkdir -p lower/dir lower/opaque lower/keep; echo 1 > lower/file; echo 2 > lower/dir/file; echo 3 > lower/opaque/old
    echo 4 > lower/keep/file
    mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off,metacopy=off merged
    cd merged; rm file; rm dir/file; rm -r opaque; mkdir opaque; echo 5 > opaque/new; echo 6 > keep/new
    cd ..; find merged -printf '%P %y %s\\n' | sort > before; umount merged`;
  execFileSync('unshare', ['-m', 'sh', '-ec', script], { cwd: box.path });
  const layer = await packed(join(box.path, 'upper'), { whiteouts: true });
  expect(pathsOf(layer)).toEqual([
    'dir',
    'dir/.wh.file',
    '.wh.file',
    'keep',
    'keep/new',
    'opaque',
    'opaque/.wh..wh..opq',
    'opaque/new',
  ]);
  mkdirSync(join(box.path, 'second'));
  await unpackTar({ directory: join(box.path, 'second'), source: chunks(layer), limit: 2 ** 30 });
  const again = `mount -t overlay overlay -o ro,lowerdir=second:lower merged
    find merged -printf '%P %y %s\\n' | sort > after; diff before after`;
  execFileSync('unshare', ['-m', 'sh', '-ec', again], { cwd: box.path, stdio: 'pipe' });
});

test('times that are later than asked for become that time', async () => {
  using box = temporaryDirectory();
  const tree = join(box.path, 'tree');
  makeTree(tree);
  const first = await packed(tree, { latest: 1_000_000_000_000_000_000n });
  execFileSync('find', [tree, '-newermt', '2002-01-01', '-exec', 'touch', '-h', '{}', '+']);
  expect(await packed(tree, { latest: 1_000_000_000_000_000_000n })).toEqual(first);
});

test('one path is packed under the name that is asked for', async () => {
  using box = temporaryDirectory();
  const tree = join(box.path, 'tree');
  makeTree(tree);
  expect(pathsOf(await packed(tree, { only: { name: 'd', as: 'other' } }))).toEqual([
    'other',
    'other/e',
    'other/e/hard',
    'other/file',
    'other/link',
  ]);
});

test('paths can be left out', async () => {
  using box = temporaryDirectory();
  const tree = join(box.path, 'tree');
  makeTree(tree);
  const paths = pathsOf(await packed(tree, { skip: path => path === 'd/e' || path.startsWith('p') }));
  expect(paths.filter(path => path.startsWith('d/'))).toEqual(['d/file', 'd/link']);
});

test('a socket is left out', async () => {
  using box = temporaryDirectory();
  const server = createServer().listen(join(box.path, 'socket'));
  await new Promise(resolve => server.once('listening', resolve));
  writeFileSync(join(box.path, 'file'), '');
  expect(pathsOf(await packed(box.path))).toEqual(['file']);
  server.close();
});

test('files that grow and shrink meanwhile do not break the archive', async () => {
  using box = temporaryDirectory();
  const directory = join(box.path, 'files');
  mkdirSync(directory);
  for (let i = 0; i < 20; i++) writeFileSync(join(directory, `f${i}`), Buffer.alloc(300_000));
  const script =
    'until [ -e ../stop ]; do for i in 3 7 11 15 19; do truncate -s 100 f$i; truncate -s 900000 f$i; done; done';
  const worker = spawn('sh', ['-c', script], { cwd: directory });
  await new Promise(resolve => worker.once('spawn', resolve));
  for (let round = 0; round < 5; round++) {
    expect(pathsOf(await packed(directory))).toHaveLength(20);
  }
  writeFileSync(join(box.path, 'stop'), '');
  await new Promise(resolve => worker.once('exit', resolve));
});

test("an overlay's upper directory whose content is elsewhere is not packed as if it were whole", async () => {
  using box = temporaryDirectory();
  mkdirSync(join(box.path, 'upper/moved'), { recursive: true });
  execFileSync(
    'python3',
    ['-c', 'import os; os.setxattr("upper/moved", "trusted.overlay.redirect", b"old")'],
    {
      cwd: box.path,
    },
  );
  await expect(packed(join(box.path, 'upper'), { whiteouts: true })).rejects.toThrow('redirect_dir=off');
});
