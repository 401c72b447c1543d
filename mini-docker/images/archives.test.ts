import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../formats/oci/digest.ts';
import { decompressed } from './decompress.ts';
import type { ImageStore } from './image.ts';
import { openImageStore } from './store.ts';
import { chunks, collect, isInstalled, tarOf, temporaryDirectory, textOf } from './testing/archives.ts';

let directory: string;
let store: ImageStore;
let count = 0;
/** An image of two layers, `two:layers`, and busybox. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'archives-test-'));
  store = await openImageStore({ root: join(directory, 'root') });
  await store.create({
    base: await store.get('busybox'),
    layer: chunks(tarOf({ path: 'added', content: 'by the second layer' }, { path: 'etc/.wh.shadow' })),
    config: { Cmd: ['cat', '/added'], Env: ['A=b'], Labels: { made: 'here' } },
    created: '2024-05-06T07:08:09Z',
    createdBy: 'COPY added /',
    references: ['two:layers', 'localhost:5000/team/two:v1'],
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

const newStore = (): Promise<ImageStore> => openImageStore({ root: join(directory, `store-${count++}`) });

async function saveTo(name: string, ...references: string[]): Promise<string> {
  const path = join(directory, name);
  writeFileSync(path, await collect(store.save(references)));
  return path;
}

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The same tar, of the file in/f. */
const LAYERS = {
  xz: '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Af/AEJdADSbgeTmb12RNVRAKBYU45A3fgbG9/z7LuKc5EGhR3yX9CMwv7HPUo+0ZTqn62aKuuAYLTLFmB8lw0O6YNq8z/SnAAAAAD8ZcceOYn55AAFegBAAAABXWi4UscRn+wIAAAAABFla',
  bzip2:
    'QlpoOTFBWSZTWdFhUfQAAC5bgMmQQADXgAAEbyleAAgYIABUZkwmTRkwTAeoJQp6jQNNGgAGdZ8hBxAo5vgStpqQFDRuIvJUHUQmyDZXTDnfzxbH9b0F8DoAekJsXckU4UJDRYVH0A==',
};

describe('save and load', () => {
  test('an image comes back with its id, names, configuration and layers', async () => {
    const archive = await collect(store.save(['two:layers', 'localhost:5000/team/two:v1']));
    const other = await newStore();
    const original = await store.get('two:layers');
    expect(await other.load(chunks(archive))).toEqual([
      {
        id: original.id,
        names: ['docker.io/library/two:layers', 'localhost:5000/team/two:v1'],
        replaced: [],
      },
    ]);
    const image = await other.get('two:layers');
    // Only the store that made it knows on what.
    const known = {
      parent: undefined,
      lastTagged: expect.anything(),
      names: expect.anything(),
      repoTags: expect.anything(),
    };
    expect(image).toEqual({ ...original, ...known });
    const [top] = await other.lowerdirs(image);
    expect(textOf(top!, 'added')).toBe('by the second layer');
  });

  test('the same images make the same archive', async () => {
    expect(await collect(store.save(['two:layers', 'busybox']))).toEqual(
      await collect(store.save(['two:layers', 'busybox'])),
    );
  });

  test('several images share their layers in the archive', async () => {
    const path = await saveTo('several.tar', 'busybox', 'two:layers');
    const names = run('tar', '-tf', path).split('\n');
    // Two layers, two configurations, two manifests.
    expect(names.filter(name => /^blobs\/sha256\/./.test(name))).toHaveLength(6);
    const other = await newStore();
    expect((await other.load(chunks(readFileSync(path)))).flatMap(image => image.names)).toEqual([
      'docker.io/library/busybox:latest',
      'docker.io/library/two:layers',
    ]);
  });

  test('an image that is not there is an error before there is an archive', () => {
    expect(() => store.save(['busybox', 'missing'])).toThrow('No such image: missing:latest');
  });

  test('a compressed archive is taken as it is', async () => {
    const other = await newStore();
    const archive = gzipSync(await collect(store.save(['two:layers'])));
    expect(await other.load(chunks(archive))).toHaveLength(1);
  });

  test.each(Object.entries(LAYERS))(
    'a layer in %s is unpacked, since no media type names it',
    async (form, layer) => {
      const bytes = Buffer.from(layer, 'base64');
      const diffId = digestOf(await collect(decompressed(chunks(bytes))));
      const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };
      const archive = tarOf(
        {
          path: 'manifest.json',
          content: JSON.stringify([{ Config: 'c.json', RepoTags: [`in:${form}`], Layers: ['layer'] }]),
        },
        { path: 'c.json', content: JSON.stringify(config) },
        { path: 'layer', content: bytes },
      );
      const other = await newStore();
      expect(await other.load(chunks(archive))).toMatchObject([{ names: [`docker.io/library/in:${form}`] }]);
      const [top] = await other.lowerdirs(await other.get(`in:${form}`));
      expect(textOf(top!, 'in/f')).toBe('packed\n');
    },
  );
});

const needs = (program: string) => test.skipIf(!isInstalled(program));

describe('other tools', () => {
  needs('skopeo')('skopeo reads our archive, by either table of contents (needs skopeo)', async () => {
    const path = await saveTo('skopeo.tar', 'two:layers');
    const { id } = await store.get('two:layers');
    const config = JSON.parse(run('skopeo', 'inspect', '--config', `docker-archive:${path}:two:layers`));
    expect(config.config.Cmd).toEqual(['cat', '/added']);
    const unpacked = join(directory, 'unpacked');
    mkdirSync(unpacked);
    run('tar', '-xf', path, '-C', unpacked);
    const raw = run('skopeo', 'inspect', '--raw', `oci:${unpacked}`);
    expect(JSON.parse(raw).config.digest).toBe(id);
  });

  needs('skopeo').each(['docker-archive', 'oci-archive'])(
    'we load what skopeo writes as %s (needs skopeo)',
    async kind => {
      const path = join(directory, `${kind}.tar`);
      const from = `oci:${join(directory, 'root/oci')}:docker.io/library/two:layers`;
      run('skopeo', 'copy', '--quiet', from, `${kind}:${path}:docker.io/library/from:${kind}`);
      const other = await newStore();
      const [loaded] = await other.load(chunks(readFileSync(path)));
      expect(loaded!.names).toEqual([`docker.io/library/from:${kind}`]);
      const image = await other.get(`from:${kind}`);
      const original = await store.get('two:layers');
      expect(image.config.rootfs).toEqual(original.config.rootfs);
      expect(image.config.config).toMatchObject({ Cmd: ['cat', '/added'], Labels: { made: 'here' } });
      expect(textOf((await other.lowerdirs(image))[0]!, 'added')).toBe('by the second layer');
    },
  );

  needs('podman')('podman loads our archive, and we load what it saves (needs podman)', async () => {
    const path = await saveTo('to-podman.tar', 'two:layers');
    const state = join(directory, 'podman');
    mkdirSync(state);
    // podman wants a short path: in its own mount namespace it has one.
    const script = `mount --bind ${state} /mnt && exec podman --root /mnt/root --runroot /mnt/run "$@"`;
    const podman = (...args: string[]) =>
      run(
        'unshare',
        '-m',
        'sh',
        '-c',
        script,
        'podman',
        '--storage-driver',
        'vfs',
        '--cgroup-manager',
        'cgroupfs',
        ...args,
      );
    expect(podman('load', '-q', '-i', path)).toContain('docker.io/library/two:layers');
    const { id } = await store.get('two:layers');
    expect(podman('image', 'inspect', '--format', '{{.Id}}', 'two:layers').trim()).toBe(id.slice(7));
    for (const format of ['docker-archive', 'oci-archive']) {
      const back = join(directory, `podman-${format}.tar`);
      podman('save', '-q', '--format', format, '-o', back, 'two:layers');
      const other = await newStore();
      expect((await other.load(chunks(readFileSync(back))))[0]!.names).toEqual([
        'docker.io/library/two:layers',
      ]);
      const image = await other.get('two:layers');
      expect(image.config.config?.Cmd).toEqual(['cat', '/added']);
      expect(textOf((await other.lowerdirs(image))[0]!, 'added')).toBe('by the second layer');
    }
  });
});

needs('dockerd')(
  'docker loads our archive, and we load what it saves (needs dockerd)',
  async () => {
    using box = temporaryDirectory();
    const archive = await saveTo('to-docker.tar', 'two:layers');
    const back = join(box.path, 'back.tar');
    const script = `
    dockerd --data-root ${box.path}/data --exec-root ${box.path}/exec --pidfile ${box.path}/pid --storage-driver vfs \\
      --host unix://${box.path}/socket --bridge none --iptables=false --containerd-namespace none >${box.path}/log 2>&1 &
    daemon=$!
    export DOCKER_HOST=unix://${box.path}/socket
    for i in $(seq 100); do docker version >/dev/null 2>&1 && break; sleep 0.1; done
    docker load -i ${archive}
    docker image inspect -f '{{.Id}}' two:layers
    docker save -o ${back} two:layers
    docker history --no-trunc --format '{{.CreatedBy}}' two:layers
    kill $daemon
    wait $daemon || true`;
    const output = run('unshare', '-n', '-m', 'sh', '-ec', script).split('\n');
    const original = await store.get('two:layers');
    expect(output.slice(0, 3)).toEqual(['Loaded image: two:layers', original.id, 'COPY added /']);
    const other = await newStore();
    expect(await other.load(chunks(readFileSync(back)))).toEqual([
      { id: original.id, names: ['docker.io/library/two:layers'], replaced: [] },
    ]);
    expect(textOf((await other.lowerdirs(await other.get('two:layers')))[0]!, 'added')).toBe(
      'by the second layer',
    );
  },
  60_000,
);

describe('a hostile archive', () => {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] as string[] } };
  const layer = tarOf({ path: 'x' });
  const manifest = (value: unknown) => ({ path: 'manifest.json', content: JSON.stringify(value) });

  test.each([
    ['without a table of contents', tarOf({ path: 'bin/sh' }), 'neither index.json nor manifest.json'],
    ['with a broken table', tarOf({ path: 'manifest.json', content: '{' }), 'manifest.json is not JSON'],
    ['with a table of something else', tarOf(manifest({ a: 1 })), 'manifest.json must be a list'],
    ['without its files', tarOf(manifest([{ Config: 'c.json', Layers: [] }])), 'lacks "c.json"'],
    [
      'that names a file of the machine',
      tarOf(manifest([{ Config: '../../../../etc/passwd', Layers: [] }])),
      'lacks "../../../../etc/passwd"',
    ],
    [
      'with a link to a file of the machine',
      tarOf(
        { path: 'c.json', type: 'symlink', linkname: '/etc/passwd' },
        manifest([{ Config: 'c.json', Layers: [] }]),
      ),
      'lacks "c.json"',
    ],
    [
      'with links in a circle',
      tarOf(
        { path: 'a', type: 'symlink', linkname: 'b' },
        { path: 'b', type: 'symlink', linkname: 'a' },
        manifest([{ Config: 'a', Layers: [] }]),
      ),
      'lacks "a"',
    ],
    [
      'whose layer is not the one of the configuration',
      tarOf(
        {
          path: 'c.json',
          content: JSON.stringify({ ...config, rootfs: { type: 'layers', diff_ids: [digestOf('other')] } }),
        },
        { path: 'l.tar', content: layer },
        manifest([{ Config: 'c.json', RepoTags: ['evil:1'], Layers: ['l.tar'] }]),
      ),
      'its content is not what was announced',
    ],
    [
      'with fewer layers than the configuration',
      tarOf(
        {
          path: 'c.json',
          content: JSON.stringify({ ...config, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
        },
        manifest([{ Config: 'c.json', Layers: [] }]),
      ),
      'has 0 layers, and diff ids for 1',
    ],
    [
      'whose blobs are not what their names say',
      tarOf(
        { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
        {
          path: 'index.json',
          content: JSON.stringify({
            schemaVersion: 2,
            manifests: [
              { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('a'), size: 1 },
            ],
          }),
        },
        { path: `blobs/sha256/${digestOf('a').slice(7)}`, content: 'b' },
      ),
      'is damaged',
    ],
  ])('%s is refused, and nothing of it stays', async (_, archive, message) => {
    using box = temporaryDirectory();
    const other = await openImageStore({ root: box.path });
    const before = run('find', box.path, '-type', 'f', '-links', '1');
    await expect(other.load(chunks(archive))).rejects.toThrow(message);
    expect(run('find', box.path, '-type', 'f', '-links', '1')).toBe(before);
    expect((await other.list()).map(image => image.repoTags)).toEqual([['busybox:latest']]);
    expect(readdirSync(join(box.path, 'tmp'))).toEqual([]);
  });
});

describe('import', () => {
  test('makes an image of one layer', async () => {
    const other = await newStore();
    const tar = tarOf({ path: 'hello', content: 'world' });
    const image = await other.import({
      source: chunks(gzipSync(tar)),
      reference: 'flat:1',
      message: 'from a test',
      config: { Cmd: ['/hello'] },
    });
    expect(image.config.rootfs.diff_ids).toEqual([digestOf(tar)]);
    expect(image.config.config).toEqual({ Cmd: ['/hello'] });
    expect((await other.get('flat:1')).id).toBe(image.id);
    expect(textOf((await other.lowerdirs(image))[0]!, 'hello')).toBe('world');
    expect(other.history(image)).toMatchObject([{ comment: 'from a test', size: 5 }]);
  });

  test('of something else than a tar leaves nothing', async () => {
    using box = temporaryDirectory();
    const other = await openImageStore({ root: box.path });
    const before = run('find', box.path, '-type', 'f', '-links', '1');
    await expect(other.import({ source: chunks(Buffer.alloc(3000, 'x')), reference: 'x:1' })).rejects.toThrow(
      'not a tar archive',
    );
    expect(run('find', box.path, '-type', 'f', '-links', '1')).toBe(before);
  });
});

describe('create', () => {
  test('the history tells what each layer added', async () => {
    const lines = store.history(await store.get('two:layers'));
    expect(lines.map(line => [line.createdBy, line.size > 0])).toEqual([
      ['COPY added /', true],
      ['CMD ["sh"]', false],
      ['busybox, its applets, and the files of a small system', true],
    ]);
    expect(lines[0]!.id).toBe((await store.get('two:layers')).id);
  });

  test('the same again is the same image', async () => {
    const other = await newStore();
    const make = async () =>
      other.create({
        base: await other.get('busybox'),
        layer: chunks(tarOf({ path: 'a', content: 'x' })),
        config: {},
        created: '2024-01-01T00:00:00Z',
        createdBy: 'test',
      });
    expect((await make()).id).toBe((await make()).id);
    expect(await other.list()).toHaveLength(2);
  });

  test('without a layer only the configuration changes', async () => {
    const other = await newStore();
    const base = await other.get('busybox');
    const image = await other.create({
      base,
      config: { Cmd: ['ls'] },
      created: '2024-01-01T00:00:00Z',
      createdBy: 'CMD',
    });
    expect(image.config.rootfs).toEqual(base.config.rootfs);
    expect(image.config.history!.at(-1)).toMatchObject({ empty_layer: true });
    expect(await other.lowerdirs(image)).toEqual(await other.lowerdirs(base));
  });

  test('an image of 150 layers is mounted whole', { tags: 'further' }, async () => {
    const other = await newStore();
    let image = await other.get('busybox');
    for (let i = 0; i < 150; i++) {
      image = await other.create({
        base: image,
        layer: chunks(tarOf({ path: `layers/${i}`, content: `${i}` })),
        created: '2024-01-01T00:00:00Z',
        createdBy: `layer ${i}`,
      });
    }
    const lowerdirs = await other.lowerdirs(image);
    const layers = join(lowerdirs[0]!, '../..');
    const names = lowerdirs.map(path => path.slice(layers.length + 1)).join(':');
    expect(names.length).toBeLessThan(4096 - 200);
    using box = temporaryDirectory();
    const script = `cd ${layers} && mount -t overlay overlay -o ro,lowerdir=${names} ${box.path} && ls ${box.path}/layers | wc -l`;
    expect(run('unshare', '-m', 'sh', '-c', script).trim()).toBe('150');
  });
});
