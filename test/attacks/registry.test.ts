// A registry that wants to harm its clients. After each attack: no image, no blob, no layer and no temporary
// file that was not there before, and a good image can still be pulled into the same store.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../mini-docker/formats/oci/digest.ts';
import { MEDIA } from '../../mini-docker/formats/oci/image.ts';
import type { ImageStore } from '../../mini-docker/images/image.ts';
import { openSession } from '../../mini-docker/images/registry/session.ts';
import { openTransport } from '../../mini-docker/images/registry/transport.ts';
import { openImageStore } from '../../mini-docker/images/store.ts';
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { startTestRegistry, type TestRegistry } from '../../mini-docker/images/testing/registry.ts';

const MEGABYTE = 2 ** 20;
const auth = { username: 'somebody', password: 'secret' };

let directory: string;
let registry: TestRegistry;
let store: ImageStore;
let before: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hostile-registry-'));
  registry = await startTestRegistry();
  store = await openImageStore({ root: directory, registries: {} });
  before = files();
});
afterEach(async () => {
  expect(files()).toBe(before);
  expect((await store.list()).flatMap(image => image.repoTags)).toEqual(['busybox:latest']);
  registry.intercept = undefined;
  publish({ repository: 'good', layer: tarOf({ path: 'file', content: 'good' }) });
  await store.pull(`${registry.host}/good`);
  expect(await store.get(`${registry.host}/good`)).toBeDefined();
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function files(): string {
  return execFileSync('find', [directory, '-not', '-name', 'index.json', '-type', 'f'], { encoding: 'utf8' });
}

interface Published {
  repository: string;
  layer?: Buffer;
  mediaType?: string;
  manifest?: (honest: Record<string, unknown>) => unknown;
  config?: (honest: Record<string, unknown>) => unknown;
}

/** Puts an image into the registry that is right but for what is asked for. */
function publish(options: Published): void {
  const { repository, layer = tarOf({ path: 'file', content: 'x' }), mediaType = MEDIA.ociLayer } = options;
  const same = (honest: Record<string, unknown>): unknown => honest;
  const { manifest = same, config = same } = options;
  const blob = (bytes: Buffer) => {
    registry.blobs.set(`${repository} ${digestOf(bytes)}`, bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const honestConfig = {
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  };
  const honest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, ...blob(Buffer.from(JSON.stringify(config(honestConfig)))) },
    layers: [{ mediaType, ...blob(layer) }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest(honest)));
  for (const key of ['latest', digestOf(bytes)]) {
    registry.manifests.set(`${repository} ${key}`, { mediaType: MEDIA.ociManifest, bytes });
  }
}

const pull = (repository = 'evil', options = {}) => store.pull(`${registry.host}/${repository}`, options);

/** Answers requests that match; others go their way. */
function intercept(
  pattern: RegExp,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  registry.intercept = (request, response) => {
    if (!pattern.test(`${request.method} ${request.url}`)) return false;
    answer(request, response);
    return true;
  };
}

/** Sends until the other side has had enough. @returns how many bytes that were */
function endless(response: ServerResponse): { sent: number } {
  const count = { sent: 0 };
  const piece = Buffer.alloc(MEGABYTE, '{"a":');
  const more = () => {
    while (!response.destroyed) {
      count.sent += piece.length;
      if (!response.write(piece)) break;
    }
  };
  response.on('drain', more);
  more();
  return count;
}

test.each([
  ['configuration', /\/blobs\//, /not what was announced|bytes, not/],
  ['manifest that was asked for by its digest', /\/manifests\//, 'when asked for'],
])('another %s than was announced is refused', async (_, pattern, message) => {
  publish({ repository: 'evil' });
  const digest = [...registry.manifests.keys()].find(key => key.includes('sha256:'))!.split(' ')[1];
  const original = registry.blobs.get([...registry.blobs.keys()][0]!)!;
  intercept(pattern, (_request, response) => response.end(Buffer.alloc(original.length, ' ')));
  await expect(store.pull(`${registry.host}/evil@${digest}`)).rejects.toThrow(message);
});

test('a layer that unpacks to something else than the configuration says is refused', async () => {
  const layer = gzipSync(tarOf({ path: 'other', content: 'y' }));
  publish({ repository: 'evil', layer, mediaType: MEDIA.ociLayerGzip });
  await expect(pull()).rejects.toThrow('is compressed, and its diff id');
});

test.each(['manifests', 'blobs'])('a body without an end is cut off: %s', async kind => {
  publish({ repository: 'evil' });
  let count = { sent: 0 };
  intercept(new RegExp(`GET .*/${kind}/`), (_request, response) => {
    count = endless(response);
  });
  await expect(pull()).rejects.toThrow(/too large|longer than|not what was announced/);
  expect(count.sent).toBeLessThan(64 * MEGABYTE);
});

test('a layer that is larger than the disk is refused before it comes', async () => {
  publish({
    repository: 'evil',
    manifest: honest => ({
      ...honest,
      layers: [{ ...(honest.layers as object[])[0], size: Number.MAX_SAFE_INTEGER - 1 }],
    }),
  });
  await expect(pull()).rejects.toThrow('room for');
  expect(registry.requests.filter(each => each.includes('/blobs/'))).toEqual([]);
});

test.each<[string, Published['manifest']]>([
  [
    'numbers for digests',
    honest => ({ ...honest, config: { mediaType: MEDIA.ociConfig, digest: 7, size: 1 } }),
  ],
  [
    'a digest that is a path',
    honest => ({
      ...honest,
      layers: [{ mediaType: MEDIA.ociLayer, digest: 'sha256:../../../../etc/shadow', size: 1 }],
    }),
  ],
  [
    'a negative size',
    honest => ({
      ...honest,
      layers: [{ ...(honest.layers as object[])[0], size: -1 }],
    }),
  ],
  [
    'a layer more than the configuration knows',
    honest => ({
      ...honest,
      layers: [...(honest.layers as object[]), ...(honest.layers as object[])],
    }),
  ],
  ['no layers at all', honest => ({ ...honest, layers: undefined })],
  ['an unknown type', honest => ({ ...honest, mediaType: 'text/html' })],
  ['an index that is a manifest in turn', honest => ({ ...honest, mediaType: MEDIA.ociIndex })],
  ['JSON that is a list', () => [1, 2, 3]],
])('a manifest with %s is refused in one line', async (_, manifest) => {
  publish({ repository: 'evil', ...(manifest === undefined ? {} : { manifest }) });
  await expect(pull()).rejects.toThrow(/^[^\n]+$/);
});

test.each<[string, unknown]>([
  ['no rootfs', { architecture: 'amd64', os: 'linux' }],
  ['a rootfs of strings', { architecture: 'amd64', os: 'linux', rootfs: 'layers' }],
  [
    'an environment of numbers',
    {
      architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
      os: 'linux',
      config: { Env: [1, 2] },
      rootfs: { type: 'layers', diff_ids: [] },
    },
  ],
])('a configuration with %s is refused in one line', async (_, config) => {
  publish({ repository: 'evil', config: () => config });
  await expect(pull()).rejects.toThrow(/^[^\n]+$/);
});

test('an index that leads to itself is followed once', async () => {
  publish({ repository: 'evil' });
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : 'arm64' };
  const inner = { mediaType: MEDIA.ociIndex, digest: `sha256:${'0'.repeat(64)}`, size: 1, platform };
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [inner] }),
  );
  intercept(/\/manifests\//, (_request, response) => {
    response.writeHead(200, { 'Content-Type': MEDIA.ociIndex }).end(index);
  });
  await expect(pull()).rejects.toThrow();
  expect(registry.requests.filter(each => each.includes('/manifests/')).length).toBeLessThan(4);
});

test('redirects without an end are left', async () => {
  intercept(/./, (request, response) => {
    response.writeHead(307, { Location: `${request.url}x` }).end();
  });
  await expect(pull()).rejects.toThrow();
  expect(registry.requests.length).toBeLessThan(40);
});

test.each([
  ['what listens on this machine', 'http://127.0.0.1:1/'],
  ['the same by its name', 'https://localhost:1/'],
  ['where nothing protects it', 'http://registry.example/'],
  ['a file', 'file:///etc/shadow'],
  ['no address at all', 'http://['],
])('a registry elsewhere cannot send us to %s', async (_, location) => {
  const transport = openTransport({
    base: 'https://registry.example',
    domain: 'registry.example',
    unverified: false,
    isMirror: false,
    certificates: '/nonexistent',
  });
  // It is asked for by its own name, and answers from the loopback: nothing leaves this machine.
  intercept(/./, (_request, response) => {
    response.writeHead(302, { Location: location }).end();
  });
  const request = {
    method: 'GET',
    url: `http://${registry.host}/v2/`,
    headers: { Authorization: 'secret' },
  } as const;
  await expect(transport.send(request)).rejects.toThrow('which is not safe');
  transport.close();
});

const ELSEWHERE = {
  base: 'https://registry.example',
  domain: 'registry.example',
  unverified: false,
  isMirror: false,
  certificates: '/nonexistent',
};

test.each([
  'http://registry.example/v2/',
  'https://127.0.0.1:1/',
  'https://0x7f.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://0.0.0.0/',
  'https://metadata.localhost/',
  'https://169.254.169.254/latest/meta-data',
  'https://[fe80::1]/',
])('a registry elsewhere cannot have a layer sent to %s', async url => {
  const session = openSession({ endpoint: ELSEWHERE, auth });
  const sent = session.send({ method: 'PUT', url, expect: [201], doing: 'push layer' });
  await expect(sent).rejects.toThrow('which is not safe');
  session.close();
});

test("neither the user's password nor a request goes to this machine when a registry elsewhere says that tokens are there", async () => {
  await using here = await startTestRegistry();
  intercept(/./, (_request, response) => {
    const realm = `Bearer realm="http://${here.host}/token",service="x"`;
    response.writeHead(401, { 'WWW-Authenticate': realm }).end();
  });
  // It is asked for by its own name, and a proxy answers.
  process.env.HTTP_PROXY = `http://${registry.host}`;
  const endpoint = { ...ELSEWHERE, base: 'http://registry.example', unverified: true };
  const session = openSession({ endpoint, auth });
  try {
    const sent = session.send({ method: 'GET', url: '/v2/', expect: [200], doing: 'log in' });
    await expect(sent).rejects.toThrow('which is not safe');
  } finally {
    session.close();
    delete process.env.HTTP_PROXY;
  }
  expect(registry.requests.length).toBeGreaterThan(0);
  expect(here.requests).toEqual([]);
});

test('an identity token is not sent on to where a redirect leads', async () => {
  await using elsewhere = await startTestRegistry();
  intercept(/./, (request, response) => {
    if (request.method === 'POST') response.writeHead(307, { Location: `http://${elsewhere.host}/` }).end();
    else response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="/token"' }).end();
  });
  const endpoint = { ...ELSEWHERE, base: `http://${registry.host}`, unverified: true };
  const session = openSession({ endpoint, auth: { identitytoken: 'secret' } });
  const sent = session.send({ method: 'GET', url: '/v2/', expect: [200], doing: 'log in' });
  await expect(sent).rejects.toThrow('which is not safe');
  session.close();
  expect(elsewhere.requests).toEqual([]);
});

test('no password goes to a host that the registry names for uploads', async () => {
  await using elsewhere = await startTestRegistry();
  const given: (string | undefined)[] = [];
  elsewhere.intercept = (request, response) => {
    given.push(request.headers.authorization);
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  registry.intercept = (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      return true;
    }
    if (request.method !== 'POST') return false;
    response.writeHead(202, { Location: `http://${elsewhere.host}/v2/evil/blobs/uploads/1` }).end();
    return true;
  };
  const busybox = await store.get('busybox');
  await store.tag(busybox, `${registry.host}/evil`);
  await expect(store.push(`${registry.host}/evil`, { auth })).rejects.toThrow();
  await store.remove(`${registry.host}/evil`, { force: false, inUse: new Map() });
  expect(given.length).toBeGreaterThan(0);
  expect(given.filter(each => each !== undefined)).toEqual([]);
});

test('messages of a registry cannot control the terminal', async () => {
  const message = '\u001b]0;owned\u0007\u001b[2Jno such thing\r\n';
  intercept(/./, (_request, response) => {
    response.writeHead(418).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
  });
  const error = await pull().catch((cause: Error) => cause);
  expect((error as Error).message).toContain('no such thing');
  expect((error as Error).message).not.toMatch(/\p{Cc}/u);
});
