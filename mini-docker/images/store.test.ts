import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../formats/oci/digest.ts';
import { openBlobs } from './blobs.ts';
import type { RemoveOptions } from './image.ts';
import { openImageStore } from './store.ts';
import { chunks, temporaryDirectory, textOf } from './testing/archives.ts';

const FREE: RemoveOptions = { force: false, inUse: new Map() };
const USER = { containerId: 'c'.repeat(64) };

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

describe('busybox', () => {
  test('is there from the start, and the same on every machine of its kind', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const image = await store.get('busybox');
    expect(image.repoTags).toEqual(['busybox:latest']);
    expect(image.config.config?.Cmd).toEqual(['sh']);
    expect(image.size).toBeGreaterThan(1_000_000);
    if (process.arch === 'x64') {
      expect(image.id).toBe('sha256:73a50b4992401e631ca20b38887bb5f94aa534ee7e384d3a938365eae7c6bc00');
    }
    const [directory] = await store.lowerdirs(image);
    expect(statSync(directory!).mode & 0o777).toBe(0o755);
    expect(textOf(directory!, 'etc/passwd')).toMatch(/^root:x:0:0:root:\/root:\/bin\/sh$/m);
    expect(statSync(join(directory!, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(
      execFileSync('chroot', [directory!, 'sh', '-c', 'id -un; /usr/bin/env echo hi'], { encoding: 'utf8' }),
    ).toBe('root\nhi\n');
  });

  test('comes back after it was removed', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const { id } = await store.get('busybox');
    const removed = await store.remove('busybox', FREE);
    expect(removed.untagged).toEqual(['busybox:latest']);
    expect(removed.deleted[0]).toBe(id);
    expect(readdirSync(join(box.path, 'oci/blobs/sha256'))).toEqual([]);
    expect(readdirSync(join(box.path, 'layers'))).toEqual([]);
    await expect(store.get('busybox')).rejects.toThrow('No such image: busybox:latest');
    expect(await (await openImageStore({ root: box.path })).list()).toEqual([]);
    expect(await store.restoreEmbedded('alpine')).toBeUndefined();
    expect((await store.restoreEmbedded('docker.io/library/busybox'))?.id).toBe(id);
    expect((await store.get('busybox')).id).toBe(id);
  });

  test('is created once and completely when many open the store at once', async () => {
    using box = temporaryDirectory();
    const script = `import { openImageStore } from ${JSON.stringify(join(import.meta.dirname, 'store.ts'))};
      const store = await openImageStore({ root: process.argv[1] });
      const [directory] = await store.lowerdirs(await store.get('busybox'));
      console.log(directory);`;
    const run = promisify(execFile);
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script, box.path])),
    );
    const directories = new Set(opened.map(({ stdout }) => stdout));
    expect(directories.size).toBe(1);
    expect(existsSync(join([...directories][0]!.trim(), 'bin/sh'))).toBe(true);
    expect(readdirSync(join(box.path, 'tmp'))).toEqual([]);
  });
});

describe('the store', () => {
  test('is an OCI image layout that skopeo reads', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    await store.tag(await store.get('busybox'), 'localhost:5000/a/b:v1');
    for (const name of ['docker.io/library/busybox:latest', 'localhost:5000/a/b:v1']) {
      const shown = JSON.parse(
        execFileSync('skopeo', ['inspect', `oci:${box.path}/oci:${name}`], { encoding: 'utf8' }),
      );
      expect(shown.Architecture).toBe(process.arch === 'x64' ? 'amd64' : process.arch);
    }
  });

  test('sees at once what skopeo puts into it, compressed layers and all', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const from = `oci:${box.path}/oci:docker.io/library/busybox:latest`;
    execFileSync('skopeo', [
      'copy',
      '--quiet',
      '--dest-compress',
      '--dest-compress-format=zstd',
      '--format=oci',
      from,
      `oci:${box.path}/oci:other:1`,
    ]);
    const image = await store.get('other:1');
    const original = await store.get('busybox');
    expect(await store.lowerdirs(image)).toEqual(await store.lowerdirs(original));
  });

  test('opens in no time, answers from memory, and leaves nothing of what dead processes were writing', async () => {
    using box = temporaryDirectory();
    await openImageStore({ root: box.path });
    mkdirSync(join(box.path, 'tmp/4194999-abc/diff'), { recursive: true });
    const before = performance.now();
    const store = await openImageStore({ root: box.path });
    // 5 ms is the aim; a loaded machine gets more.
    expect(performance.now() - before).toBeLessThan(50);
    expect(readdirSync(join(box.path, 'tmp'))).toEqual([]);
    const image = await store.get('busybox');
    const start = performance.now();
    for (let i = 0; i < 100; i++) await store.lowerdirs(await store.get('busybox'));
    expect((performance.now() - start) / 100).toBeLessThan(1);
    expect(image.repoTags).toEqual(['busybox:latest']);
  });

  test('finds images by name, id, and the start of an id', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const { id } = await store.get('busybox');
    for (const reference of [
      'busybox:latest',
      'docker.io/busybox',
      id,
      id.slice(7),
      id.slice(7, 19),
      id.slice(0, 20),
    ]) {
      expect((await store.get(reference)).id).toBe(id);
    }
    await expect(store.get('x')).rejects.toThrow('No such image: x:latest');
    await expect(store.get('busybox:1')).rejects.toThrow('No such image: busybox:1');
    await expect(store.get('f'.repeat(64))).rejects.toThrow(`No such image: ${'f'.repeat(64)}`);
    await expect(store.get('Busybox')).rejects.toThrow('must be lowercase');
  });

  test('moves a tag to the image that is tagged last, and keeps the other without one', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const busybox = await store.get('busybox');
    const other = await addVariant(box.path, 'other:1');
    await store.tag(busybox, 'other:1');
    expect((await store.get('other:1')).id).toBe(busybox.id);
    expect((await store.get('busybox')).repoTags.sort()).toEqual(['busybox:latest', 'other:1']);
    expect((await store.get(other)).repoTags).toEqual([]);
    expect(await store.list()).toHaveLength(2);
    await store.tag(await store.get(other), 'named:again');
    expect(await store.list()).toHaveLength(2);
  });

  test('is not changed by a name that is none', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const image = await store.get('busybox');
    await expect(store.tag(image, 'A B')).rejects.toThrow('invalid reference format');
    await expect(store.tag(image, `a@${image.id}`)).rejects.toThrow('digest reference');
    expect((await store.get('busybox')).repoTags).toEqual(['busybox:latest']);
  });

  test('shows the good images although one is broken', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const other = await addVariant(box.path, 'other:1');
    writeFileSync(join(box.path, 'oci/blobs/sha256', other.slice(7)), '{}');
    expect((await store.list()).map(image => image.repoTags)).toEqual([['busybox:latest']]);
    await expect(store.get('other:1')).rejects.toThrow('No such image');
  });
});

/** Another image of the same layer. Gives its id. */
async function addVariant(root: string, name: string): Promise<string> {
  const directory = join(root, 'oci/blobs/sha256');
  const index = JSON.parse(readFileSync(join(root, 'oci/index.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(join(directory, index.manifests[0].digest.slice(7)), 'utf8'));
  const config = JSON.parse(readFileSync(join(directory, manifest.config.digest.slice(7)), 'utf8'));
  const put = (value: object) => {
    const text = JSON.stringify(value);
    writeFileSync(join(directory, digestOf(text).slice(7)), text);
    return { digest: digestOf(text), size: Buffer.byteLength(text) };
  };
  const added = put({ ...config, author: 'somebody else' });
  const descriptor = {
    ...index.manifests[0],
    ...put({ ...manifest, config: { ...manifest.config, ...added } }),
  };
  descriptor.annotations = { 'org.opencontainers.image.ref.name': name };
  writeFileSync(
    join(root, 'oci/index.json'),
    JSON.stringify({ ...index, manifests: [...index.manifests, descriptor] }),
  );
  return added.digest;
}

describe('removing', () => {
  test('one of two names leaves the image', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const image = await store.get('busybox');
    await store.tag(image, 'second:2');
    expect(await store.remove('busybox', FREE)).toEqual({
      untagged: ['busybox:latest'],
      deleted: [],
      layers: [],
    });
    expect((await store.get('second:2')).repoTags).toEqual(['second:2']);
  });

  test('an image leaves the layers that another one has', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const other = await addVariant(box.path, 'other:1');
    const { id } = await store.get('busybox');
    expect((await store.remove('busybox', FREE)).deleted).toEqual([id]);
    const [directory] = await store.lowerdirs(await store.get('other:1'));
    expect(existsSync(join(directory!, 'bin/sh'))).toBe(true);
    const deleted = await store.remove('other:1', FREE);
    expect(deleted).toMatchObject({ deleted: [other], layers: [await embeddedDiffId()] });
    expect(filesBelow(join(box.path, 'oci/blobs')).concat(filesBelow(join(box.path, 'layers')))).toEqual([]);
  });

  test('by id takes the image and its one name', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const { id } = await store.get('busybox');
    const removed = await store.remove(id.slice(7, 19), FREE);
    expect(removed.untagged).toEqual(['busybox:latest']);
    expect(removed.deleted[0]).toBe(id);
  });

  test('by id an image of two names wants force', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const image = await store.get('busybox');
    await store.tag(image, 'second:2');
    const short = image.id.slice(7, 19);
    await expect(store.remove(short, FREE)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    );
    expect((await store.remove(short, { ...FREE, force: true })).untagged).toEqual([
      'busybox:latest',
      'second:2',
    ]);
  });

  test("an image that a container stands on is refused in docker's words", async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const { id } = await store.get('busybox');
    const short = id.slice(7, 19);
    const inUse = (running: boolean) => new Map([[id, [{ ...USER, running }]]]);
    await expect(store.remove('busybox', { force: false, inUse: inUse(false) })).rejects.toThrow(
      `conflict: unable to remove repository reference "busybox" (must force) - container cccccccccccc is using its referenced image ${short}`,
    );
    await expect(store.remove(id, { force: true, inUse: inUse(true) })).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    );
    await expect(store.remove(id, { force: false, inUse: inUse(false) })).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
    );
    expect((await store.get('busybox')).id).toBe(id);
  });

  test('by force leaves a stopped container what it needs to start again', async () => {
    using box = temporaryDirectory();
    const store = await openImageStore({ root: box.path });
    const { id } = await store.get('busybox');
    const options = { force: true, inUse: new Map([[id, [{ ...USER, running: false }]]]) };
    expect(await store.remove('busybox', options)).toEqual({
      untagged: ['busybox:latest'],
      deleted: [],
      layers: [],
    });
    const [directory] = await store.lowerdirs(await store.get(id));
    expect(existsSync(join(directory!, 'bin/sh'))).toBe(true);
    expect((await store.remove(id, FREE)).deleted[0]).toBe(id);
  });
});

async function embeddedDiffId(): Promise<string | undefined> {
  using box = temporaryDirectory();
  const image = await (await openImageStore({ root: box.path })).get('busybox');
  return image.config.rootfs.diff_ids[0];
}

describe('a blob', () => {
  test.each([
    ['with another digest', { digest: digestOf('other') }, 'the content is not what was announced'],
    ['that is too long', { digest: digestOf('content'), size: 3 }, 'is longer than the 3 bytes'],
    ['that is too short', { digest: digestOf('content'), size: 30 }, 'has 7 bytes, not the 30'],
  ])('%s is not stored', async (_, expected, message) => {
    using box = temporaryDirectory();
    mkdirSync(join(box.path, 'tmp'));
    const blobs = await openBlobs(join(box.path, 'oci'), join(box.path, 'tmp'));
    await expect(blobs.receive(chunks(Buffer.from('content')), expected)).rejects.toThrow(message);
    expect(filesBelow(box.path)).toEqual([]);
  });

  test('that stops coming is not stored', async () => {
    using box = temporaryDirectory();
    mkdirSync(join(box.path, 'tmp'));
    const blobs = await openBlobs(join(box.path, 'oci'), join(box.path, 'tmp'));
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('connection reset');
    }
    await expect(blobs.receive(broken())).rejects.toThrow('connection reset');
    expect(filesBelow(box.path)).toEqual([]);
  });

  test('that was changed on the disk is not used', async () => {
    using box = temporaryDirectory();
    mkdirSync(join(box.path, 'tmp'));
    const blobs = await openBlobs(join(box.path, 'oci'), join(box.path, 'tmp'));
    const { digest } = blobs.put(Buffer.from('content'));
    writeFileSync(blobs.path(digest), 'contenT');
    expect(() => blobs.read(digest)).toThrow('is damaged');
  });
});
