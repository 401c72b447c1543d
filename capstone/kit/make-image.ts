// Makes an image archive, as `docker save` writes it: an OCI image layout, with Docker's manifest.json beside it.
// Run: node make-image.ts FILE NAME CONFIG DIRECTORY… (CONFIG is the JSON of the image's Env, Cmd and so on; each
// directory is a layer, the lowest first; a file .wh.NAME deletes NAME of the layers below; a tar is one as it is)
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';

const [file = '', name = '', config = '{}', ...directories] = process.argv.slice(2);
const archive = mkdtempSync(join(tmpdir(), 'image-'));
try {
  mkdirSync(join(archive, 'blobs/sha256'), { recursive: true });
  const layers = directories.map(directory =>
    blob(
      'application/vnd.oci.image.layer.v1.tar',
      statSync(directory).isFile()
        ? readFileSync(directory)
        : execFileSync('tar', ['--owner=0', '--group=0', '-C', directory, '-c', '.'], { maxBuffer: 1 << 28 }),
    ),
  );
  const described = blob('application/vnd.oci.image.config.v1+json', {
    created: '2026-01-01T00:00:00Z',
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    os: 'linux',
    config: JSON.parse(config),
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: directories.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'capstone' })),
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = blob(mediaType, { schemaVersion: 2, mediaType, config: described, layers });
  const [, tag = 'latest'] = name.split(':');
  const annotations = {
    'io.containerd.image.name': `docker.io/library/${name.split(':')[0]}:${tag}`,
    'org.opencontainers.image.ref.name': tag,
  };
  write('oci-layout', { imageLayoutVersion: '1.0.0' });
  write('index.json', { schemaVersion: 2, manifests: [{ ...manifest, annotations }] });
  write('manifest.json', [
    { Config: path(described), RepoTags: [`${name.split(':')[0]}:${tag}`], Layers: layers.map(path) },
  ]);
  execFileSync('tar', ['-C', archive, '-cf', file, 'oci-layout', 'index.json', 'manifest.json', 'blobs']);
} finally {
  rmSync(archive, { recursive: true });
}

function write(to: string, value: object): void {
  writeFileSync(join(archive, to), JSON.stringify(value));
}

function path({ digest }: { digest: string }): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function blob(
  mediaType: string,
  content: Buffer | object,
): { mediaType: string; digest: string; size: number } {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  writeFileSync(join(archive, path({ digest })), bytes);
  return { mediaType, digest, size: bytes.length };
}
