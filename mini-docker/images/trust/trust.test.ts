import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeReference } from '../../formats/image-reference.ts';
import { digestOf } from '../../formats/oci/digest.ts';
import { encodeJson, MEDIA } from '../../formats/oci/image.ts';
import type { ImageStore } from '../image.ts';
import { openImageStore } from '../store.ts';
import { chunks, collect, tarOf } from '../testing/archives.ts';
import { startTestRegistry, type TestRegistry } from '../testing/registry.ts';
import { decodeKey, judge } from './signature.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });

let directory: string;
let registry: TestRegistry;
let digest: string;
let stores = 0;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trust-test-'));
  registry = await startTestRegistry();
  writeFileSync(join(directory, 'cosign.pub'), pem(keys.publicKey));
  const maker = await storeWith(undefined);
  await maker.create({
    base: await maker.get('busybox'),
    layer: chunks(tarOf({ path: 'added', content: 'here' })),
    config: { Cmd: ['sh'] },
    created: '2024-05-06T07:08:09Z',
    createdBy: 'test',
    references: [name()],
  });
  digest = (await maker.push(name())).digest;
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const name = (tag = 'v1') => `${registry.host}/team/app:${tag}`;
const repository = () => `${registry.host}/team/app`;
const POLICY = () => join(directory, 'policy.json');

function storeWith(policy: object | string | undefined): Promise<ImageStore> {
  if (policy !== undefined) {
    writeFileSync(POLICY(), typeof policy === 'string' ? policy : JSON.stringify(policy));
  }
  return openImageStore({
    root: join(directory, `store-${stores++}`),
    signaturePolicy: policy === undefined ? undefined : POLICY(),
  });
}

const signedBy = (identity: object | undefined = { type: 'matchRepository' }, more: object = {}) => ({
  default: [{ type: 'reject' }],
  transports: {
    docker: {
      [repository()]: [
        { type: 'sigstoreSigned', keyPath: join(directory, 'cosign.pub'), signedIdentity: identity, ...more },
      ],
    },
  },
});

/** What `cosign sign` writes into the registry. */
function attach(
  options: { digest?: string; reference?: string; key?: KeyObject; type?: string; payload?: string } = {},
): void {
  const { key = keys.privateKey, type = 'cosign container image signature' } = options;
  const payload = Buffer.from(
    options.payload ??
      JSON.stringify({
        critical: {
          identity: { 'docker-reference': options.reference ?? repository() },
          image: { 'docker-manifest-digest': options.digest ?? digest },
          type,
        },
        optional: null,
      }),
  );
  const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key).toString(
    'base64',
  );
  const tag = `team/app sha256-${digest.slice(7)}.sig`;
  const before = registry.manifests.get(tag);
  const layers = before === undefined ? [] : JSON.parse(before.bytes.toString()).layers;
  const config = Buffer.from('{}');
  for (const blob of [payload, config]) registry.blobs.set(`team/app ${digestOf(blob)}`, blob);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest: digestOf(config), size: config.length },
    layers: [
      ...layers,
      {
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        digest: digestOf(payload),
        size: payload.length,
        annotations: { 'dev.cosignproject.cosign/signature': signature },
      },
    ],
  };
  registry.manifests.set(tag, { mediaType: MEDIA.ociManifest, bytes: encodeJson(manifest) });
}

describe('a policy that wants a signature', () => {
  test('lets a signed image be pulled and run, even if the registry is gone', async () => {
    attach();
    const store = await storeWith(signedBy());
    const { image } = await store.pull(name());
    registry.intercept = (_, response) => !!response.destroy();
    expect(() => store.requireTrusted(image)).not.toThrow();
  });

  test('refuses an image without one, and nothing of it stays', async () => {
    const store = await storeWith(signedBy());
    await expect(store.pull(name())).rejects.toThrow(
      `${name()} is refused by transports.docker."${repository()}" of ${POLICY()}: it has no signature`,
    );
    expect((await store.list()).flatMap(({ repoTags }) => repoTags)).toEqual(['busybox:latest']);
    expect(registry.requests.filter(each => each.startsWith('GET') && each.includes('/blobs/'))).toEqual([]);
  });

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  test.each<[string, () => void, RegExp]>([
    ['made by another key', () => attach({ key: other }), /none of the keys has made it/],
    ['for another image', () => attach({ digest: digestOf('x') }), /it is for another image/],
    [
      'for another name',
      () => attach({ reference: 'elsewhere.example/app' }),
      /it is for the name elsewhere/,
    ],
    ['of another type', () => attach({ type: 'promise' }), /its type is "promise"/],
    ['over something else', () => attach({ payload: '[[[[' }), /is not JSON/],
  ])('does not count one that was %s', async (_, attachIt, fault) => {
    attachIt();
    await expect((await storeWith(signedBy())).pull(name())).rejects.toThrow(fault);
  });

  test('is content with one good signature among bad ones', async () => {
    attach({ key: other });
    attach();
    await (await storeWith(signedBy())).pull(name());
  });

  test.each(['ed25519', 'rsa'] as const)('takes signatures by %s', async kind => {
    const pair =
      kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    writeFileSync(join(directory, 'cosign.pub'), pem(pair.publicKey));
    attach({ key: pair.privateKey });
    await (await storeWith(signedBy())).pull(name());
  });

  test('refuses a payload that the registry has exchanged', async () => {
    attach();
    registry.intercept = (request, response) => {
      const isPayload = request.url!.includes('/blobs/') && request.url!.includes('team/app');
      if (isPayload) response.end('{"critical":{}}');
      return isPayload;
    };
    await expect((await storeWith(signedBy())).pull(name())).rejects.toThrow('sent a wrong sha256:');
  });
});

describe('the name in a signature', () => {
  test.each<[object, string, boolean]>([
    [{ type: 'matchExact' }, 'HOST/team/app:v1', true],
    [{ type: 'matchExact' }, 'HOST/team/app:v2', false],
    [{ type: 'matchExact' }, 'HOST/team/app', false],
    [{ type: 'matchRepoDigestOrExact' }, 'HOST/team/app:v1', true],
    [{ type: 'matchRepository' }, 'HOST/team/app:v9', true],
    [{ type: 'matchRepository' }, 'HOST/team/apples', false],
    [{ type: 'exactReference', dockerReference: 'hub.example/a:1' }, 'hub.example/a:1', true],
    [{ type: 'exactRepository', dockerRepository: 'hub.example/a' }, 'hub.example/a:7', true],
    [
      { type: 'remapIdentity', prefix: 'HOST/team', signedPrefix: 'hub.example/x' },
      'hub.example/x/app:v1',
      true,
    ],
    [
      { type: 'remapIdentity', prefix: 'HOST/te', signedPrefix: 'hub.example/x' },
      'hub.example/xam/app:v1',
      false,
    ],
  ])('%j, signed %s: %s', async (identity, reference, accepted) => {
    const here = (text: string) => text.replaceAll('HOST', registry.host);
    attach({ reference: here(reference) });
    const store = await storeWith(JSON.parse(here(JSON.stringify(signedBy(identity)))));
    const pulled = store.pull(name()).then(
      () => true,
      () => false,
    );
    expect(await pulled).toBe(accepted);
  });
});

describe('other policies', () => {
  test('an image that the policy rejects is refused before the registry is asked for signatures', async () => {
    const store = await storeWith({ default: [{ type: 'reject' }] });
    await expect(store.pull(name())).rejects.toThrow(
      /refused by default of .*: the policy accepts no image there/,
    );
    expect(registry.requests.filter(each => each.includes('.sig'))).toEqual([]);
  });

  test.each(['team', ''])(
    'the most specific scope decides (below HOST/%s everything is accepted)',
    async scope => {
      const place = [registry.host, scope].filter(part => part !== '').join('/');
      const anything = [{ type: 'insecureAcceptAnything' }];
      const store = await storeWith({
        default: [{ type: 'reject' }],
        transports: { docker: { [place]: anything } },
      });
      await store.pull(name());
    },
  );

  test('an image that was pulled before the policy is not run until it is pulled again', async () => {
    const store = await storeWith({ default: [{ type: 'insecureAcceptAnything' }] });
    const { image } = await store.pull(name());
    store.requireTrusted(image);
    writeFileSync(POLICY(), JSON.stringify(signedBy()));
    expect(() => store.requireTrusted(image)).toThrow(
      /as it was pulled, is refused by .*: it has no signature/,
    );
    attach();
    store.requireTrusted((await store.pull(name())).image);
  });

  test('another name does not make an image trusted', async () => {
    const store = await storeWith({ default: [{ type: 'insecureAcceptAnything' }] });
    const { image } = await store.pull(name());
    await store.tag(image, 'local/app:1');
    writeFileSync(POLICY(), JSON.stringify(signedBy()));
    expect(() => store.requireTrusted(image)).toThrow('is refused');
  });

  test('neither does a name that the policy accepts, nor the loss of the names it was pulled under', async () => {
    const store = await storeWith({ default: [{ type: 'insecureAcceptAnything' }] });
    const { image } = await store.pull(name());
    await store.tag(image, name('free'));
    await store.tag(image, 'local/app:1');
    const docker = { [name('free')]: [{ type: 'insecureAcceptAnything' }] };
    writeFileSync(POLICY(), JSON.stringify({ default: [{ type: 'reject' }], transports: { docker } }));
    expect(() => store.requireTrusted(image)).toThrow(`${name()}, as it was pulled, is refused`);
    for (const lost of [name(), name('free'), `${repository()}@${digest}`])
      await store.remove(lost, { force: false, inUse: new Map() }).catch(() => {});
    const left = await store.get('local/app:1');
    expect([...left.repoTags, ...left.repoDigests]).toEqual(['local/app:1']);
    expect(() => store.requireTrusted(left)).toThrow(`${name()}, as it was pulled, is refused`);
  });

  test('an image whose index does not say how it came here is not taken for one made here', async () => {
    const store = await storeWith({ default: [{ type: 'insecureAcceptAnything' }] });
    const { image } = await store.pull(name());
    const path = join(directory, `store-${stores - 1}/oci/index.json`);
    const index = JSON.parse(readFileSync(path, 'utf8'));
    for (const { annotations } of index.manifests)
      for (const key of Object.keys(annotations)) if (key.startsWith('mini-docker.')) delete annotations[key];
    writeFileSync(path, JSON.stringify(index));
    store.requireTrusted(image);
    writeFileSync(POLICY(), JSON.stringify({ default: [{ type: 'reject' }] }));
    for (const each of [image, await store.get('busybox')])
      expect(() => store.requireTrusted(each)).toThrow('not known whether it was pulled or made here');
    await store.tag(image, 'local/app:1');
    expect(() => store.requireTrusted(image)).toThrow('not known whether it was pulled or made here');
  });

  test('an image made here runs after its push, too', async () => {
    const store = await storeWith(signedBy());
    await store.tag(await store.get('busybox'), name('mine'));
    await store.push(name('mine'));
    store.requireTrusted(await store.get('busybox'));
  });

  test('images made here run, and archives are refused where signatures are required', async () => {
    const store = await storeWith({ default: [{ type: 'reject' }] });
    store.requireTrusted(await store.get('busybox'));
    const archive = await collect(store.save(['busybox']));
    await expect(store.load(chunks(archive))).rejects.toThrow('an archive carries no signatures');
  });

  test.each([
    ['{', 'is not JSON'],
    ['{}', 'default is missing'],
    ['{"default":[]}', 'at least one requirement'],
    [
      '{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}',
      'has "default" twice in one object',
    ],
    ['{"default":[{"type":"signedBy","keyType":"GPGKeys"}]}', 'signatures by GPG are not supported'],
    ['{"default":[{"type":"sigstoreSigned"}]}', 'needs exactly one of keyPath'],
    [
      '{"default":[{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":"/r"}]}',
      '"rekorPublicKeyPath" is not',
    ],
    [
      '{"default":[{"type":"sigstoreSigned","keyPath":"/nowhere/key"}]}',
      "no such file or directory, open '/nowhere",
    ],
    ['{"default":[{"type":"insecureAcceptAnything"}],"transport":{}}', '"transport" is not supported'],
  ])('a policy that cannot be kept to refuses images: %s', async (policy, why) => {
    attach();
    await expect((await storeWith(policy)).pull(name())).rejects.toThrow(why);
  });
});

test('examine() says what a key has signed', async () => {
  attach();
  attach({ digest: digestOf('x') });
  const store = await storeWith(undefined);
  const key = pem(keys.publicKey) as string;
  expect(await store.examine(name(), { key })).toEqual({
    digest,
    place: 'the given key',
    verdicts: [
      { signedName: repository() },
      { signedName: repository(), fault: `it is for another image, ${digestOf('x')}` },
    ],
  });
  await expect(store.examine(name(), { key: 'ssh-rsa AAAA' })).rejects.toThrow('is not a public key in PEM');
});

test('a signature that openssl made over a payload as cosign writes it counts', () => {
  const payload =
    '{"critical":{"identity":{"docker-reference":"hub.example/team/app"},"image":{"docker-manifest-digest":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},"type":"cosign container image signature"},"optional":{"creator":"someone"}}';
  const signature =
    'MEUCIQCEP2vUiMQE8YjLdWvcsAUgkxRiz+qA+q5erauL8LMRlgIgQXlmd8K/CprkSLiep25EkG6TcBqy8od7P36HYOBwzOQ=';
  const key = decodeKey(
    `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXob7Grx8EYew2zjH4AsfTFkDSW5c
zg3VFmx0w8EdY+Arl/7Og9K9qvn1DZB5YWi6dOHX5avVZRnOS1eVk0p5RQ==
-----END PUBLIC KEY-----`,
    'the key',
  );
  const digest = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
  const judged = (text: string) =>
    judge(
      { payload: Buffer.from(text).toString('base64'), signature },
      {
        keys: [key],
        identity: { type: 'matchRepository' },
        claim: { reference: decodeReference('hub.example/team/app:v1'), digests: [digest] },
      },
    );
  expect(judged(payload)).toEqual({ signedName: 'hub.example/team/app' });
  expect(judged(payload.replace('someone', 'anyone'))).toEqual({ fault: 'none of the keys has made it' });
});
