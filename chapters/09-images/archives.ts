// Images as single files, for other people and other tools.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Mistake } from '../04-mounts/mistake.ts';
import {
  blobPath,
  type Descriptor,
  findImage,
  readBlob,
  readImage,
  STORE,
  tagImage,
  tags,
  writeBlob,
  writeIndex,
} from './store.ts';
import { uncompressed } from './unpack.ts';

/** Writes one tar archive, an OCI image layout. manifest.json lists the blobs once more, for docker load. */
export function saveImage(name: string, file: string): void {
  const { manifest } = findImage(name);
  const descriptor = tags().get(name)!;
  const blobs = [descriptor, manifest.config, ...manifest.layers];
  const short = (digest: string): string => blobPath(digest, '.').slice('./'.length);
  inTemporaryDirectory(directory => {
    for (const { digest } of blobs) cpSync(blobPath(digest), blobPath(digest, directory));
    writeIndex(directory, [descriptor]);
    const Layers = manifest.layers.map(({ digest }) => short(digest));
    const docker = [{ Config: short(manifest.config.digest), RepoTags: [`${name}:latest`], Layers }];
    writeFileSync(`${directory}/manifest.json`, JSON.stringify(docker));
    execFileSync('tar', ['-C', directory, '-cf', file, '.']);
  });
}

/** @returns the names. @throws Mistake if a blob does not match its digest; its image then gets no name */
export function loadImages(file: string): string[] {
  return inTemporaryDirectory(directory => {
    const { stderr } = spawnSync('tar', ['-C', directory, '-xf', file], { encoding: 'utf8' });
    if (!existsSync(`${directory}/index.json`))
      throw new Mistake(`${file} is not an archive of images: ${stderr.split('\n')[0] || 'no index.json'}`);
    const index = JSON.parse(readFileSync(`${directory}/index.json`, 'utf8')) as { manifests: Descriptor[] };
    const names: string[] = [];
    for (const descriptor of index.manifests) {
      const { manifest, config } = readImage(descriptor, directory);
      for (const [at, layer] of manifest.layers.entries()) {
        uncompressed(readBlob(layer, directory), config.rootfs.diff_ids[at]);
      }
      for (const blob of [descriptor, manifest.config, ...manifest.layers]) {
        writeBlob(blob.mediaType, readBlob(blob, directory));
      }
      const name = nameOf(descriptor);
      tagImage(name, descriptor);
      names.push(name);
    }
    return names;
  });
}

/** docker save writes the full name, docker.io/library/busybox:latest, in an annotation of its own. */
function nameOf({ annotations = {}, digest }: Descriptor): string {
  const name =
    annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'] ?? digest;
  return name.replace('docker.io/library/', '').replace(/:latest$/, '');
}

function inTemporaryDirectory<T>(work: (directory: string) => T): T {
  mkdirSync(STORE, { recursive: true });
  const directory = mkdtempSync('/tmp/box/archive-');
  try {
    mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
