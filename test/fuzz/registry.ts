// A registry that answers by chance: other statuses, headers, bodies, manifests and layers than asked for. A pull either
// works or fails with a sentence, in bounded time, and leaves nothing when it fails.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ExpectedError } from '../../mini-docker/formats/errors.ts';
import { digestOf } from '../../mini-docker/formats/oci/digest.ts';
import { MEDIA } from '../../mini-docker/formats/oci/image.ts';
import { openImageStore } from '../../mini-docker/images/store.ts';
import { startTestRegistry, type TestRegistry } from '../../mini-docker/images/testing/registry.ts';
import { archive } from './archives.ts';
import { cases, type Fuzzer, within } from './fuzzer.ts';
import { damaged, mutated, type Random } from './random.ts';

function publish(registry: TestRegistry, random: Random): void {
  const layer = archive(random);
  const packed = random.chance(0.5) ? gzipSync(layer) : layer;
  const blob = (bytes: Buffer) => {
    registry.blobs.set(`fuzz ${digestOf(bytes)}`, random.chance(0.9) ? bytes : damaged(bytes, random));
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const maybe = (value: unknown) => (random.chance(0.4) ? mutated(value, random) : value);
  const config = maybe({
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: { Env: ['a=b'], Cmd: ['x'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created_by: 'x' }],
  });
  const manifest = maybe({
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, ...blob(Buffer.from(JSON.stringify(config) ?? '')) },
    layers: [{ mediaType: MEDIA.ociLayer, ...blob(packed) }],
  });
  const bytes = Buffer.from(JSON.stringify(manifest) ?? '');
  const found = random.chance(0.8) ? bytes : damaged(bytes, random);
  for (const key of ['latest', digestOf(bytes)])
    registry.manifests.set(`fuzz ${key}`, { mediaType: MEDIA.ociManifest, bytes: found });
}

function lie(response: ServerResponse, random: Random): boolean {
  if (!random.chance(0.15)) return false;
  const status = random.pick([200, 204, 301, 307, 401, 403, 404, 416, 418, 500]);
  const headers: Record<string, string> = {};
  if (random.chance(0.3))
    headers['WWW-Authenticate'] = random.pick(['Bearer realm="x"', 'Basic', 'Bearer', '=']);
  if (random.chance(0.3))
    headers.Location = random.pick(['/v2/', 'http://127.0.0.1:1/', 'file:///etc/passwd', '::']);
  if (random.chance(0.2))
    headers['Docker-Content-Digest'] = random.pick(['sha256:00', 'x', digestOf(Buffer.from('x'))]);
  response.writeHead(status, headers);
  response.end(random.bytes(random.integer(200)));
  return true;
}

export const fuzzRegistry: Fuzzer = async options => {
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-registry-'));
  await using registry = await startTestRegistry();
  try {
    const store = await openImageStore({ root: directory });
    const blobs = () => readdirSync(join(directory, 'oci/blobs/sha256')).length;
    const before = blobs();
    return await cases(options, async (random, finding) => {
      registry.manifests.clear();
      registry.blobs.clear();
      publish(registry, random);
      registry.intercept = (_, response) => lie(response, random);
      const name = `${registry.host}/fuzz`;
      const failure = await within(60_000, store.pull(name)).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined && !(failure instanceof ExpectedError)) throw failure;
      if (failure === undefined) await store.remove(name, { force: true, inUse: new Map() });
      if (readdirSync(join(directory, 'tmp')).length > 0) finding('a temporary file is left');
      if (blobs() !== before) finding(`${blobs() - before} blobs are left`);
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};
