// `docker save`: an OCI layout and docker's own index (manifest.json) of the same blobs, in one tar, which
// docker, podman, skopeo and containerd can all read.

import {
  decodeReference,
  encodeReference,
  familiarName,
  familiarReference,
} from '../formats/image-reference.ts';
import { type Descriptor, encodeJson, type Index, MEDIA } from '../formats/oci/image.ts';
import { encodeEntry } from '../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from '../formats/tar/entry.ts';
import { decodeTimestamp } from '../formats/timestamp.ts';
import type { Blobs } from './blobs.ts';
import type { Catalog, CatalogImage } from './catalog.ts';
import type { Content } from './content.ts';
import type { DockerArchiveImage } from './docker-archive.ts';
import { parentOf, withParent } from './parents.ts';
import { IMAGE_NAME, REF_NAME } from './references.ts';

/**
 * The archive of the images that `references` name. A name includes that name; one without a tag includes all
 * its tags.
 * @throws ImageError before the first piece, when an image does not exist
 */
export function saveArchive(
  { catalog, blobs }: Content,
  references: readonly string[],
): AsyncIterable<Uint8Array> {
  const chosen = new Map<string, { image: CatalogImage; names: Set<string> }>();
  for (const reference of references) {
    for (const { image, name } of named(catalog, reference)) {
      const entry = chosen.get(image.id) ?? { image, names: new Set<string>() };
      if (name !== undefined) entry.names.add(name);
      chosen.set(image.id, entry);
    }
  }
  return write(
    blobs,
    [...chosen.values()]
      // A parent comes before its children, so that `load` knows it.
      .sort((a, b) => historyOf(a.image) - historyOf(b.image))
      .map(({ image, names }) => ({
        image,
        names: tagsOf([...names]),
        parent: catalog
          .descriptorsOf(image.id)
          .map(parentOf)
          .find(id => id !== undefined && chosen.has(id)),
      })),
  );
}

/** @throws ImageError when there is no such image */
function named(catalog: Catalog, reference: string): { image: CatalogImage; name: string | undefined }[] {
  // An id may look like a name without a tag.
  const { domain, path, tag, digest } = /^(sha256:)?[0-9a-f]+$/.test(reference)
    ? { tag: '' }
    : decodeReference(reference);
  if (tag === undefined && digest === undefined) {
    const found = catalog.images().flatMap(image =>
      image.names
        .filter(name => {
          const each = decodeReference(name);
          return each.domain === domain && each.path === path && each.tag !== undefined;
        })
        .map(name => ({ image, name })),
    );
    if (found.length > 0) return found;
  }
  const { image, byName } = catalog.find(reference);
  return [{ image, name: byName }];
}

/** Archives contain tags only: docker refuses digests in them. */
const tagsOf = (names: string[]): string[] =>
  names
    .filter(name => decodeReference(name).tag !== undefined)
    .map(name => encodeReference(decodeReference(name)));

const historyOf = ({ config }: CatalogImage): number => config.history?.length ?? 0;

interface Chosen {
  image: CatalogImage;
  names: string[];
  /** Id of the image's parent, where the archive has that too. */
  parent: string | undefined;
}

async function* write(blobs: Blobs, chosen: readonly Chosen[]): AsyncGenerator<Uint8Array> {
  yield entry({ path: 'blobs', type: 'directory', mode: 0o755 });
  yield entry({ path: 'blobs/sha256', type: 'directory', mode: 0o755 });
  const parts = new Map<string, bigint>();
  for (const { image } of chosen) {
    const created = decodeTimestamp(image.config.created ?? '') ?? 0n;
    for (const { digest } of image.layers) parts.set(digest, 0n);
    for (const digest of [image.manifest.digest, image.id]) parts.set(digest, created);
  }
  for (const [digest, mtime] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const size = blobs.size(digest) ?? 0;
    yield entry({ path: pathOf(digest), size, mtime });
    yield* blobs.stream(digest);
    yield new Uint8Array(padding(size));
  }
  yield file('index.json', encodeJson(indexOf(chosen)));
  yield file('manifest.json', encodeJson(chosen.map(dockerImage)));
  yield file('oci-layout', encodeJson({ imageLayoutVersion: '1.0.0' }));
  const repositories = repositoriesOf(chosen);
  if (Object.keys(repositories).length > 0) yield file('repositories', encodeJson(repositories));
  yield END_OF_ARCHIVE;
}

const pathOf = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;

/** Without times, other than the image's own: the same images always give the same archive. */
const entry = (fields: Partial<TarEntry> & { path: string }): Buffer =>
  encodeEntry({ type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n, ...fields });

const file = (path: string, content: Buffer): Buffer =>
  Buffer.concat([entry({ path, size: content.length }), content, Buffer.alloc(padding(content.length))]);

function indexOf(chosen: readonly Chosen[]): Index {
  const manifests = chosen.flatMap(({ image, names, parent }): Descriptor[] => {
    const { architecture, os, variant } = image.config;
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    const descriptor = withParent({ ...image.manifest, platform }, parent);
    if (names.length === 0) return [descriptor];
    return names.map(name => ({
      ...descriptor,
      annotations: { ...descriptor.annotations, [IMAGE_NAME]: name, [REF_NAME]: decodeReference(name).tag! },
    }));
  });
  return { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests };
}

const dockerImage = ({ image, names }: Chosen): DockerArchiveImage => ({
  Config: pathOf(image.id),
  RepoTags: names.map(name => familiarReference(decodeReference(name))),
  Layers: image.layers.map(layer => pathOf(layer.digest)),
});

/** The oldest index format: repository, tag, and the topmost layer. */
function repositoriesOf(chosen: readonly Chosen[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, names } of chosen) {
    const top = image.layers.at(-1);
    if (top === undefined) continue;
    for (const name of names.map(decodeReference)) {
      repositories[familiarName(name)] ??= {};
      repositories[familiarName(name)]![name.tag!] = top.digest.slice(7);
    }
  }
  return repositories;
}
