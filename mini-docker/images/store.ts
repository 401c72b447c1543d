// The images of one data root: ROOT/oci is an OCI image layout with all content, ROOT/layers has its layers
// unpacked.

import {
  decodeReference,
  encodeReference,
  familiarName,
  familiarReference,
  withTag,
} from '../formats/image-reference.ts';
import { type Descriptor, encodeJson, type Manifest, MEDIA } from '../formats/oci/image.ts';
import type { Tell } from '../linux/kept-file.ts';
import { type Content, digestsOf, openContent, withName } from './content.ts';
import { createImage, importImage } from './create.ts';
import { EMBEDDED_REFERENCE, makeEmbeddedImage } from './embedded.ts';
import { ImageError, noSuchImage } from './errors.ts';
import { historyOf } from './history.ts';
import type { Image, ImageStore } from './image.ts';
import { loadArchive } from './load.ts';
import { looseLayers } from './loose-layers.ts';
import { nameOf } from './references.ts';
import { registryMethods } from './registry/registry.ts';
import type { RegistrySettings } from './registry/settings.ts';
import { planRemoval } from './remove.ts';
import { saveArchive } from './save.ts';
import { openTrust } from './trust/trust.ts';

export interface StoreOptions {
  root: string;
  /** The registry settings of daemon.json. */
  registries?: RegistrySettings;
  /** Path of the signature policy; undefined: the default one, if it exists. */
  signaturePolicy?: string | undefined;
  /** Receives problems with files on disk. */
  tell?: Tell;
}

/** Opens the images below `root`. A new root is created with the embedded image. */
export async function openImageStore(options: StoreOptions): Promise<ImageStore> {
  const { root, registries = {}, signaturePolicy, tell = () => {} } = options;
  const trust = openTrust(signaturePolicy);
  const content = await openContent(root, tell);
  const { catalog, layers } = content;

  if (content.isNew || content.namesLost) {
    // A machine without a busybox can still pull.
    await addEmbedded(content).catch(async error => {
      if (!(error instanceof ImageError)) throw error;
      await content.update(manifests => manifests);
    });
  }

  return {
    namesLost: content.namesLost,
    get: async reference => catalog.find(reference).image,
    list: async () => catalog.images(),

    async tag(image, text) {
      const reference = withTag(decodeReference(text));
      if (reference.digest !== undefined)
        throw new ImageError('refusing to create a tag with a digest reference');
      if (familiarName(reference) === 'sha256')
        throw new ImageError('refusing to create an ambiguous tag using digest algorithm as name');
      const name = encodeReference(reference);
      await content.update(manifests => {
        // The image may have another manifest by now: a push compresses its layers.
        const current = catalog.byManifest(image.manifest.digest) ?? catalog.byId(image.id);
        if (current === undefined) throw noSuchImage(image.id);
        // The name gets a new time even if the image has it already.
        const others = manifests.filter(each => nameOf(each) !== name || catalog.idOf(each) !== image.id);
        return withName(others, { descriptor: current.manifest, name, idOf: catalog.idOf });
      });
    },

    async remove(reference, options) {
      const { image, names, deletes } = planRemoval(catalog, reference, options);
      const ids = new Set(deletes.map(each => each.id));
      const digests = deletes.flatMap(each => digestsOf(catalog, each).reverse());
      content.leaving(digests);
      await content.update(manifests => {
        const rest = manifests.filter(each => !names.includes(nameOf(each) ?? ''));
        const isImage = (each: Descriptor) => catalog.idOf(each) === image.id;
        if (ids.size > 0) return rest.filter(each => !ids.has(catalog.idOf(each) ?? ''));
        return rest.some(isImage) ? rest : [...rest, image.manifest];
      });
      const untagged = names.map(name => familiarReference(decodeReference(name)));
      return { untagged, deleted: [...ids], layers: await content.collect(digests) };
    },

    async lowerdirs(image) {
      const diffIds = image.config.rootfs.diff_ids;
      if (!diffIds.every(diffId => layers.has(diffId))) await unpackMissing(content, image);
      // A layer may occur twice, but overlay takes each directory only once (ELOOP). The lower occurrence
      // adds nothing.
      return [...new Set(diffIds.toReversed())].map(diffId => layers.directory(diffId));
    },

    history(image) {
      const found = catalog.byId(image.id);
      if (found === undefined) throw noSuchImage(image.id);
      return historyOf(found, {
        sizeOf: diffId => layers.size(diffId) ?? 0,
        parentOf: ({ parent }) => (parent === undefined ? undefined : catalog.byId(parent)),
      });
    },
    save: references => saveArchive(content, references),
    async load(source, onProgress) {
      trust.admitArchive();
      return loadArchive(content, source, onProgress);
    },
    requireTrusted: ({ id }) => trust.requireTrusted(catalog.descriptorsOf(id)),
    import: options => importImage(content, options),
    create: options => createImage(content, options),
    loose: looseLayers(content),
    collectInterrupted: content.collectInterrupted,

    ...registryMethods(content, registries, trust),

    async restoreEmbedded(text) {
      if (encodeReference(withTag(decodeReference(text))) !== EMBEDDED_REFERENCE) return undefined;
      await addEmbedded(content);
      return catalog.find(EMBEDDED_REFERENCE).image;
    },
  };
}

async function addEmbedded({ blobs, add }: Content): Promise<void> {
  const { layer, config } = makeEmbeddedImage();
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, ...blobs.put(encodeJson(config)) },
    layers: [{ mediaType: MEDIA.ociLayer, ...blobs.put(layer) }],
  };
  await add({
    manifest: encodeJson(manifest),
    mediaType: MEDIA.ociManifest,
    names: [EMBEDDED_REFERENCE],
    fresh: new Set(config.rootfs.diff_ids),
  });
}

/** Images that another program put into the layout have no unpacked layers yet. */
async function unpackMissing({ catalog, blobs, layers }: Content, image: Image): Promise<void> {
  const found = catalog.byId(image.id);
  for (const [index, diffId] of image.config.rootfs.diff_ids.entries()) {
    const blob = found?.layers[index];
    if (blob === undefined)
      throw new ImageError(`layer ${diffId} of image ${image.id} is not there: pull it again`);
    await layers.unpack({ diffId, source: () => blobs.stream(blob.digest) });
  }
}
