import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../formats/oci/digest.ts';
import { MEDIA } from '../../formats/oci/image.ts';
import type { ImageProgress, ImageStore } from '../image.ts';
import { openImageStore } from '../store.ts';
import { chunks, isInstalled, tarOf, textOf } from '../testing/archives.ts';
import { startTestRegistry, type TestRegistry } from '../testing/registry.ts';
import { RegistryError } from './errors.ts';

const run = promisify(execFile);
const needs = (program: string) => test.skipIf(!isInstalled(program));

let directory: string;
let registry: TestRegistry;
let store: ImageStore;
let stores = 0;

const newStore = (registries = {}): Promise<ImageStore> =>
  openImageStore({ root: join(directory, `store-${stores++}`), registries });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'registry-test-'));
  registry = await startTestRegistry();
  stores = 0;
  store = await newStore();
  await store.create({
    base: await store.get('busybox'),
    layer: chunks(
      tarOf({ path: 'added', content: 'here' }, { path: 'big', content: Buffer.alloc(3_000_000, 'x') }),
    ),
    config: { Cmd: ['sh'] },
    created: '2024-05-06T07:08:09Z',
    createdBy: 'test',
    references: [`${registry.host}/team/two:v1`],
  });
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const name = (rest: string): string => `${registry.host}/${rest}`;
const answer = (response: ServerResponse, status: number, headers = {}, body = ''): true => {
  response.writeHead(status, headers).end(body);
  return true;
};
const blobRequests = (): string[] => registry.requests.filter(each => /^GET .*\/blobs\//.test(each));

describe('push and pull', () => {
  test('an image goes out and comes back as the same image', async () => {
    const original = await store.get(name('team/two:v1'));
    const pushed = await store.push(name('team/two:v1'));
    const other = await newStore();
    const { image, digest, isUpToDate } = await other.pull(name('team/two:v1'));
    expect(image.id).toBe(original.id);
    expect(digest).toBe(pushed.digest);
    expect(isUpToDate).toBe(false);
    expect(image.repoTags).toEqual([name('team/two:v1')]);
    expect(image.repoDigests).toEqual([name(`team/two@${digest}`)]);
    expect(textOf((await other.lowerdirs(image))[0]!, 'added')).toBe('here');
    expect((await other.pull(name('team/two:v1'))).isUpToDate).toBe(true);
    expect((await other.get(name(`team/two@${digest}`))).id).toBe(original.id);
    expect((await store.get(original.id)).repoDigests).toEqual([name(`team/two@${digest}`)]);
  });

  test('layers made here travel compressed, and are not stored twice', async () => {
    await store.push(name('team/two:v1'));
    const [manifest] = [...registry.manifests.values()].map(each => JSON.parse(each.bytes.toString()));
    expect(manifest.layers.map((layer: { mediaType: string }) => layer.mediaType)).toEqual([
      MEDIA.ociLayerGzip,
      MEDIA.ociLayerGzip,
    ]);
    const blobs = readdirSync(join(directory, 'store-0/oci/blobs/sha256'));
    const image = await store.get(name('team/two:v1'));
    // busybox's own plain layer is still needed by busybox.
    expect(blobs).not.toContain(image.config.rootfs.diff_ids[1]!.slice(7));
    expect(textOf((await store.lowerdirs(image))[0]!, 'added')).toBe('here');
    stores = 0;
    // The same root, opened again.
    const again = await newStore();
    expect(textOf((await again.lowerdirs(await again.get(name('team/two:v1'))))[0]!, 'added')).toBe('here');
  });

  test('blobs that the registry has are not sent again, and those of another repository are mounted', async () => {
    await store.push(name('team/two:v1'));
    const uploads = () => registry.requests.filter(each => /^PUT .*\/blobs\//.test(each)).length;
    expect(uploads()).toBe(3);
    const seen: string[] = [];
    const onProgress = ({ status }: ImageProgress) => void seen.push(status);
    await store.push(name('team/two:v1'), { onProgress });
    expect(uploads()).toBe(3);
    expect(seen.filter(status => status === 'Layer already exists')).toHaveLength(2);
    await store.tag(await store.get(name('team/two:v1')), name('other/place:v2'));
    await store.push(name('other/place:v2'), { onProgress });
    expect(seen.filter(status => status === 'Mounted from team/two')).toHaveLength(2);
    // The configuration is sent: it is small.
    expect(uploads()).toBe(4);
  });

  test('layers that are there are not fetched again', async () => {
    await store.push(name('team/two:v1'));
    const other = await newStore();
    await other.pull(name('team/two:v1'));
    registry.requests.length = 0;
    const seen: string[] = [];
    await other.pull(name('team/two:v1'), { onProgress: ({ status }) => void seen.push(status) });
    expect(blobRequests()).toEqual([]);
    expect(seen).toContain('Already exists');
  });

  test('progress tells of every layer from first byte to last', async () => {
    await store.push(name('team/two:v1'));
    const other = await newStore();
    const seen = new Map<string, ImageProgress[]>();
    await other.pull(name('team/two:v1'), {
      onProgress: progress => seen.set(progress.id!, [...(seen.get(progress.id!) ?? []), progress]),
    });
    const [first, ...layers] = [...seen.values()];
    expect(first).toEqual([{ id: 'v1', status: 'Pulling from team/two' }]);
    expect(layers).toHaveLength(2);
    for (const progress of layers) {
      const steps = progress.map(each => each.status).filter((status, i, all) => status !== all[i - 1]);
      expect(steps).toEqual([
        'Pulling fs layer',
        'Downloading',
        'Download complete',
        'Extracting',
        'Pull complete',
      ]);
      const last = progress.filter(each => each.status === 'Downloading').at(-1)!;
      expect(last.current).toBe(last.total);
    }
  });

  test('an image that no tag names here is not pushed', async () => {
    await expect(store.push(name('team/two:missing'))).rejects.toThrow('No such image');
    expect(registry.requests).toEqual([]);
  });

  test('a search asks a registry that can, and looks through the list of one that cannot', async () => {
    await store.push(name('team/two:v1'));
    registry.intercept = (request, response) => {
      if (request.url !== '/v2/_catalog') return false;
      return answer(response, 200, {}, JSON.stringify({ repositories: ['team/two', 'other'] }));
    };
    const found = { name: name('team/two'), description: '', stars: 0, official: false };
    expect(await store.search(name('tw'), { limit: 5 })).toEqual([found]);
    registry.intercept = (request, response) => {
      if (!request.url!.startsWith('/v1/search?q=redis&n=2')) return false;
      const results = [{ name: 'redis', description: 'a store', star_count: 7, is_official: true }];
      return answer(
        response,
        200,
        {},
        JSON.stringify({ results: [...results, { name: 'b' }, { name: 'c' }] }),
      );
    };
    expect(await store.search(name('redis'), { limit: 2 })).toEqual([
      { name: 'redis', description: 'a store', stars: 7, official: true },
      { name: 'b', description: '', stars: 0, official: false },
    ]);
  });

  test('a manifest list has only images of its own registry', async () => {
    const { create } = store.manifestLists;
    await expect(create(name('list:1'), ['alpine'])).rejects.toThrow('alpine:latest is in another registry');
    await expect(create(name('list:1'), [name('none:1')])).rejects.toThrow(RegistryError);
    await expect(store.manifestLists.push(name('list:1'))).rejects.toThrow('No such manifest list');
  });

  test('the tags of a repository are listed', async () => {
    await store.push(name('team/two:v1'));
    await store.tag(await store.get(name('team/two:v1')), name('team/two:v2'));
    await store.push(name('team/two:v2'));
    expect(await store.remoteTags(name('team/two'))).toEqual(['v1', 'v2']);
  });
});

describe('skopeo', () => {
  needs('skopeo')('copies what we pushed, byte for byte (needs skopeo)', async () => {
    const pushed = await store.push(name('team/two:v1'));
    const to = join(directory, 'copied');
    await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${name('team/two:v1')}`, `oci:${to}:x`]);
    const raw = execFileSync('skopeo', ['inspect', '--raw', `oci:${to}:x`]);
    expect(digestOf(raw)).toBe(pushed.digest);
  });

  needs('skopeo').each(['oci', 'v2s2'])(
    'pushes as %s what we pull, byte for byte (needs skopeo)',
    async format => {
      const from = `oci:${join(directory, 'store-0/oci')}:docker.io/library/busybox:latest`;
      await run('skopeo', [
        'copy',
        '--dest-tls-verify=false',
        '-f',
        format,
        from,
        `docker://${name('from/skopeo:1')}`,
      ]);
      const other = await newStore();
      const { image, digest } = await other.pull(name('from/skopeo:1'));
      expect(image.manifest.digest).toBe(digest);
      expect(registry.manifests.has(`from/skopeo ${digest}`)).toBe(true);
      expect(image.config.rootfs).toEqual((await store.get('busybox')).config.rootfs);
      const again = await other.get(name('from/skopeo:1'));
      await other.tag(again, name('back/again:1'));
      expect((await other.push(name('back/again:1'))).digest).toBe(digest);
    },
  );
});

describe('an index', () => {
  async function pushIndex(...architectures: string[]): Promise<void> {
    await store.push(name('team/two:v1'));
    const { bytes } = registry.manifests.get('team/two v1')!;
    const manifests = architectures.map(architecture => ({
      mediaType: MEDIA.ociManifest,
      digest: digestOf(bytes),
      size: bytes.length,
      platform: { os: 'linux', architecture },
    }));
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }));
    registry.manifests.set('team/two multi', { mediaType: MEDIA.ociIndex, bytes: index });
    registry.manifests.set(`team/two ${digestOf(index)}`, { mediaType: MEDIA.ociIndex, bytes: index });
  }
  const here = process.arch === 'x64' ? 'amd64' : process.arch;

  test('gives the image for this machine, and its own digest names the image', async () => {
    await pushIndex('s390x', here);
    const other = await newStore();
    const { image, digest } = await other.pull(name('team/two:multi'));
    expect(image.repoDigests).toEqual([name(`team/two@${digest}`)]);
    expect((await (await newStore()).pull(name(`team/two@${digest}`))).image.repoTags).toEqual([]);
  });

  test('without the platform is refused with those it has', async () => {
    await pushIndex('s390x', 'riscv64');
    const other = await newStore();
    await expect(other.pull(name('team/two:multi'))).rejects.toThrow(
      `no image for linux/${here}: there is linux/s390x, linux/riscv64`,
    );
  });

  test('that lies about a platform is found out', async () => {
    await pushIndex('s390x');
    const other = await newStore();
    await expect(other.pull(name('team/two:multi'), { platform: 'linux/s390x' })).rejects.toThrow(
      'does not match the specified platform (linux/s390x)',
    );
  });
});

describe('credentials', () => {
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  const auth = { username: 'me', password: 'secret' };

  function wantBasic(): void {
    registry.intercept = (request, response) =>
      request.headers.authorization !== basic &&
      answer(response, 401, { 'WWW-Authenticate': 'Basic realm="test"' });
  }

  /** As the real ones do: a token for each scope, got with the password. */
  function wantToken(): string[] {
    const scopes: string[] = [];
    registry.intercept = (request, response) => {
      const url = new URL(request.url!, 'http://x');
      if (url.pathname === '/token') {
        scopes.push(url.searchParams.getAll('scope').join(' '));
        if (request.headers.authorization !== basic) return answer(response, 401);
        return answer(response, 200, {}, JSON.stringify({ token: `for:${scopes.at(-1)}` }));
      }
      const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
      const wanted = repository === undefined ? 'Bearer for:' : `Bearer for:repository:${repository}:`;
      if (request.headers.authorization?.startsWith(wanted)) return false;
      const realm = `http://${registry.host}/token`;
      return answer(response, 401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="test"` });
    };
    return scopes;
  }

  test.each([
    ['a password', wantBasic],
    ['a token', wantToken],
  ])('%s that the registry asks for is given', async (_, want) => {
    want();
    await store.push(name('team/two:v1'), { auth });
    const other = await newStore();
    const { image } = await other.pull(name('team/two:v1'), { auth });
    expect(textOf((await other.lowerdirs(image))[0]!, 'added')).toBe('here');
    await store.login({ ...auth, serveraddress: registry.host });
  });

  test('one token is requested for many requests, with its scope', async () => {
    const scopes = wantToken();
    await store.push(name('team/two:v1'), { auth });
    expect(new Set(scopes)).toEqual(new Set(['repository:team/two:pull,push']));
    scopes.length = 0;
    await store.tag(await store.get(name('team/two:v1')), name('other/place:v2'));
    await store.push(name('other/place:v2'), { auth });
    expect(scopes).toContain('repository:other/place:pull,push repository:team/two:pull');
  });

  test.each([
    ['a password', wantBasic],
    ['a token', wantToken],
  ])('without %s the error says what to do', async (_, want) => {
    want();
    const nobody = await newStore();
    await expect(nobody.pull(name('team/two:v1'))).rejects.toThrow(
      `pull access denied for ${name('team/two')}, repository does not exist or may require 'docker login'`,
    );
    await expect(store.push(name('team/two:v1'))).rejects.toThrow('push access denied');
    const wrong = { username: 'me', password: 'wrong', serveraddress: registry.host };
    await expect(store.login(wrong)).rejects.toThrow(`cannot log in to ${registry.host}: unauthorized`);
  });

  test('an identity token is exchanged for a token', async () => {
    let form = '';
    registry.intercept = (request, response) => {
      if (request.url === '/token') {
        request.on('data', data => {
          form += data;
        });
        request.on('end', () => answer(response, 200, {}, JSON.stringify({ access_token: 'good' })));
        return true;
      }
      if (request.headers.authorization === 'Bearer good') return false;
      const realm = `http://${registry.host}/token`;
      return answer(response, 401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="test"` });
    };
    await store.push(name('team/two:v1'), { auth: { identitytoken: 'refresh me' } });
    expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'refresh me',
      scope: 'repository:team/two:pull,push',
    });
  });

  test('are not given to the host that a registry redirects to', async () => {
    await store.push(name('team/two:v1'), {});
    wantBasic();
    const inner = registry.intercept!;
    await using elsewhere = await startTestRegistry();
    const given: (string | undefined)[] = [];
    elsewhere.intercept = (request, response) => {
      given.push(request.headers.authorization);
      const [, , digest] = /^\/(.+) (sha256:.+)$/.exec(decodeURIComponent(request.url!)) ?? [];
      response.end(registry.blobs.get(`team/two ${digest}`));
      return true;
    };
    registry.intercept = (request, response) => {
      if (inner(request, response)) return true;
      const digest = /\/blobs\/(sha256:.+)$/.exec(request.url!)?.[1];
      if (digest === undefined) return false;
      return answer(response, 307, { Location: `http://${elsewhere.host}/x%20${digest}` });
    };
    const other = await newStore();
    await other.pull(name('team/two:v1'), { auth });
    expect(given).toEqual([undefined, undefined, undefined]);
  });
});

describe('a bad day', () => {
  test.each([429, 500, 503])('status %i is met with patience', async status => {
    await store.push(name('team/two:v1'));
    const met = new Set<string>();
    registry.intercept = (request, response) => {
      if (met.has(request.url!)) return false;
      met.add(request.url!);
      return answer(response, status, { 'Retry-After': '0' });
    };
    const other = await newStore();
    await other.pull(name('team/two:v1'));
    expect(met.size).toBe(4);
    met.clear();
    registry.blobs.clear();
    await store.push(name('team/two:v1'));
    expect(met.size).toBeGreaterThan(4);
  });

  test('a registry that never recovers is given up with its status', async () => {
    registry.intercept = (_, response) => answer(response, 503, { 'Retry-After': '0' });
    await expect(store.pull(name('team/two:v1'))).rejects.toMatchObject({
      name: 'RegistryError',
      status: 503,
    });
    expect(registry.requests).toHaveLength(5);
    const hasty = await newStore({ maxAttempts: 2 });
    await expect(hasty.pull(name('team/two:v1'))).rejects.toMatchObject({ status: 503 });
    expect(registry.requests).toHaveLength(7);
  });

  test('a connection that breaks in the middle of a layer is taken up where it broke', async () => {
    await store.push(name('team/two:v1'));
    const ranges: (string | undefined)[] = [];
    let left = 3;
    registry.intercept = (request, response) => {
      const digest = /\/blobs\/(sha256:.+)$/.exec(request.url!)?.[1];
      const blob = registry.blobs.get(`team/two ${digest}`);
      if (blob === undefined || blob.length < 100_000 || left-- <= 0) return false;
      ranges.push(request.headers.range);
      const start = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
      response.writeHead(start === 0 ? 200 : 206, { 'Content-Length': String(blob.length - start) });
      response.write(blob.subarray(start, start + 100_000), () => response.destroy());
      return true;
    };
    const other = await newStore();
    const { image } = await other.pull(name('team/two:v1'));
    const starts = ranges.map(range => Number(/\d+/.exec(range ?? '0')![0]));
    expect(starts).toHaveLength(3);
    expect(starts[0]).toBe(0);
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1]!);
    expect(textOf((await other.lowerdirs(image))[0]!, 'added')).toBe('here');
  });

  test('so is one that breaks in the middle of the configuration', async () => {
    await store.push(name('team/two:v1'));
    const { id } = await store.get(name('team/two:v1'));
    const config = registry.blobs.get(`team/two ${id}`)!;
    const ranges: (string | undefined)[] = [];
    registry.intercept = (request, response) => {
      if (request.method !== 'GET' || !request.url!.endsWith(id)) return false;
      ranges.push(request.headers.range);
      if (ranges.length > 1) return false;
      response.writeHead(200, { 'Content-Length': String(config.length) });
      response.write(config.subarray(0, 100), () => setTimeout(() => response.destroy(), 50));
      return true;
    };
    const { image } = await (await newStore()).pull(name('team/two:v1'));
    expect(image.id).toBe(id);
    expect(ranges).toEqual([undefined, 'bytes=100-']);
  });

  test('a registry that knows no ranges begins again, and the layer is right all the same', async () => {
    await store.push(name('team/two:v1'));
    let broken = false;
    registry.intercept = (request, response) => {
      const digest = /\/blobs\/(sha256:.+)$/.exec(request.url!)?.[1];
      const blob = registry.blobs.get(`team/two ${digest}`);
      if (blob === undefined || blob.length < 100_000) return false;
      response.writeHead(200, { 'Content-Length': String(blob.length) });
      if (broken) response.end(blob);
      else response.write(blob.subarray(0, 70_000), () => response.destroy());
      broken = true;
      return true;
    };
    const other = await newStore();
    await other.pull(name('team/two:v1'));
    expect(broken).toBe(true);
  });

  test.each([
    [
      'another content',
      (blob: Buffer) => Buffer.from(blob).fill(7, 100, 120),
      'the content is not what was announced',
    ],
    ['too much', (blob: Buffer) => Buffer.concat([blob, Buffer.from('x')]), 'is longer than'],
  ])('a layer with %s is refused, and nothing of the image stays', async (_, change, message) => {
    await store.push(name('team/two:v1'));
    for (const [key, blob] of registry.blobs)
      if (blob.length > 100_000) registry.blobs.set(key, change(blob));
    const other = await newStore();
    const root = join(directory, `store-${stores - 1}`);
    const before = execFileSync('find', [root, '-type', 'f', '-links', '1'], { encoding: 'utf8' });
    await expect(other.pull(name('team/two:v1'))).rejects.toThrow(message);
    expect(execFileSync('find', [root, '-type', 'f', '-links', '1'], { encoding: 'utf8' })).toBe(before);
    expect((await other.list()).flatMap(image => image.repoTags)).toEqual(['busybox:latest']);
  });

  test('a manifest that is not the one asked for is refused', async () => {
    const { digest } = await store.push(name('team/two:v1'));
    const found = registry.manifests.get(`team/two ${digest}`)!;
    registry.manifests.set(`team/two ${digest}`, {
      ...found,
      bytes: Buffer.concat([found.bytes, Buffer.from(' ')]),
    });
    await expect((await newStore()).pull(name(`team/two@${digest}`))).rejects.toThrow(
      `when asked for ${digest}`,
    );
  });

  test('an unknown tag is said to be unknown', async () => {
    await store.push(name('team/two:v1'));
    await expect(store.pull(name('team/two:nope'))).rejects.toMatchObject({
      message: `manifest for ${name('team/two:nope')} not found: the registry has no such tag or digest`,
      status: 404,
    });
  });

  test('an unreachable registry is reported in one line', async () => {
    await registry[Symbol.asyncDispose]();
    await expect(store.pull(name('team/two:v1'))).rejects.toThrow(
      `cannot pull team/two: ${registry.host} cannot be reached: connection refused`,
    );
    registry = await startTestRegistry();
  });

  test('a pull that is called off stops, and leaves nothing', async () => {
    await store.push(name('team/two:v1'));
    const controller = new AbortController();
    registry.intercept = (request, response) => {
      const digest = /\/blobs\/(sha256:.+)$/.exec(request.url!)?.[1];
      const blob = registry.blobs.get(`team/two ${digest}`);
      if (blob === undefined || blob.length < 100_000) return false;
      response.writeHead(200, { 'Content-Length': String(blob.length) });
      response.write(blob.subarray(0, 1000), () => controller.abort());
      return true;
    };
    const other = await newStore();
    await expect(other.pull(name('team/two:v1'), { signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(readdirSync(join(directory, `store-${stores - 1}`, 'tmp'))).toEqual([]);
    expect(await other.list()).toHaveLength(1);
  });

  test('two pulls of the same image at once are one image', async () => {
    await store.push(name('team/two:v1'));
    const other = await newStore();
    const pulled = await Promise.all([1, 2, 3].map(() => other.pull(name('team/two:v1'))));
    expect(new Set(pulled.map(({ image }) => image.id)).size).toBe(1);
    expect(await other.list()).toHaveLength(2);
    expect(textOf((await other.lowerdirs(pulled[0]!.image))[0]!, 'added')).toBe('here');
  });
});

/** The real one, as Debian packages it. */
needs('docker-registry')(
  'docker-registry takes and gives images, and skopeo agrees (needs docker-registry)',
  async () => {
    const config = join(directory, 'registry.yml');
    const port = 20_000 + (process.pid % 20_000);
    writeFileSync(
      config,
      `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(directory, 'registry')} }, delete: { enabled: true } }
http: { addr: '127.0.0.1:${port}' }
`,
    );
    const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    const ended = new Promise(resolve => server.once('exit', resolve));
    try {
      const host = `localhost:${port}`;
      for (let i = 0; i < 100 && !(await answers(`http://${host}/v2/`)); i++) {
        await sleep(100);
      }
      const image = await store.get(name('team/two:v1'));
      await store.tag(image, `${host}/real/one:v1`);
      const pushed = await store.push(`${host}/real/one:v1`);
      const seen: string[] = [];
      await store.tag(image, `${host}/real/two:v2`);
      await store.push(`${host}/real/two:v2`, { onProgress: ({ status }) => void seen.push(status) });
      expect(seen.filter(status => status === 'Mounted from real/one')).toHaveLength(2);
      const other = await newStore();
      const pulled = await other.pull(`${host}/real/two:v2`);
      expect(pulled.digest).toBe(pushed.digest);
      expect(pulled.image.id).toBe(image.id);
      expect(textOf((await other.lowerdirs(pulled.image))[0]!, 'added')).toBe('here');
      expect(await other.remoteTags(`${host}/real/two`)).toEqual(['v2']);
      await expect(other.pull(`${host}/real/two:nope`)).rejects.toThrow('not found');
      await expect(other.pull(`${host}/no/such:v1`)).rejects.toThrow('not found');
      const raw = execFileSync('skopeo', [
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${host}/real/one:v1`,
      ]);
      expect(digestOf(raw)).toBe(pushed.digest);
      const copied = join(directory, 'copied');
      await run('skopeo', [
        'copy',
        '--src-tls-verify=false',
        `docker://${host}/real/one:v1`,
        `dir:${copied}`,
      ]);
      for (const layer of pulled.image.manifest.digest === pushed.digest
        ? JSON.parse(raw.toString()).layers
        : []) {
        expect(digestOf(readFileSync(join(copied, layer.digest.slice(7))))).toBe(layer.digest);
      }
      const from = `oci:${join(directory, 'store-0/oci')}:docker.io/library/busybox:latest`;
      await run('skopeo', [
        'copy',
        '--dest-tls-verify=false',
        '-f',
        'v2s2',
        from,
        `docker://${host}/by/skopeo:1`,
      ]);
      expect((await other.pull(`${host}/by/skopeo:1`)).image.repoTags).toContain(`${host}/by/skopeo:1`);
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  },
  60_000,
);

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    response => response.ok,
    () => false,
  );

describe('mirrors', () => {
  test("are asked before docker.io, without its password, and the image has docker.io's name", async () => {
    await store.tag(await store.get('busybox'), name('library/thing:1'));
    await store.push(name('library/thing:1'));
    const given: (string | undefined)[] = [];
    registry.intercept = request => {
      given.push(request.headers.authorization);
      return false;
    };
    const other = await newStore({ mirrors: [`http://${registry.host}`] });
    await other.remove('busybox', { force: true, inUse: new Map() });
    const { image } = await other.pull('thing:1', { auth: { username: 'me', password: 'secret' } });
    expect(image.repoTags).toEqual(['thing:1']);
    const auth = { username: 'me', password: 'secret' };
    expect(await other.remoteTags('thing', { auth })).toEqual(['1']);
    const { descriptor } = await other.describeRemote('thing:1', { auth });
    expect(descriptor.digest).toBe((await other.pull('thing:1')).digest);
    expect(given.every(each => each === undefined)).toBe(true);
  });
});
