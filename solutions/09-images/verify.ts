// Checks that an OCI image layout is what it claims to be.   Run: node verify.ts DIRECTORY
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  blobPath,
  type Descriptor,
  digestOf,
  type ImageConfig,
  type Manifest,
} from '../../chapters/09-images/store.ts';

const [layout = ''] = process.argv.slice(2);

function read({ digest }: Descriptor): Buffer {
  const bytes = readFileSync(blobPath(digest, layout));
  if (digestOf(bytes) !== digest) damaged(digest);
  return bytes;
}

function damaged(digest: string): never {
  console.log(digest);
  process.exit(1);
}

const index = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as { manifests: Descriptor[] };
for (const descriptor of index.manifests) {
  const manifest = JSON.parse(read(descriptor).toString()) as Manifest;
  const config = JSON.parse(read(manifest.config).toString()) as ImageConfig;
  for (const [at, layer] of manifest.layers.entries()) {
    const tar = gunzipSync(read(layer));
    if (digestOf(tar) !== config.rootfs.diff_ids[at]) damaged(layer.digest);
  }
}
console.log('ok');
