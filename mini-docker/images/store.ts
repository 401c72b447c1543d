// The images of one data root: ROOT/oci is an OCI image layout with everything in it, ROOT/layers its layers unpacked.
import { mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeReference, encodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { type Descriptor, encodeJson, type Manifest, MEDIA } from '../formats/oci-image.ts';
import { withLock } from '../linux/lock.ts';
import { openBlobs } from './blobs.ts';
import { openCatalog } from './catalog.ts';
import { EMBEDDED_REFERENCE, makeEmbeddedImage } from './embedded.ts';
import { BadImage } from './errors.ts';
import type { Image, ImageStore } from './image.ts';
import { openLayers } from './layers.ts';
import { createLayout, named, nameOf, openReferences } from './references.ts';
import { planRemoval } from './remove.ts';

/** Opens the images below `root`, which is made when it is not there, and then has the embedded image. */
export async function openImageStore({ root }: { root: string }): Promise<ImageStore> {
  const temporary = join(root, 'tmp');
  const layout = join(root, 'oci');
  const lock = join(root, 'lock');
  mkdirSync(temporary, { recursive: true });
  await removeLeftovers(temporary);
  const blobs = await openBlobs(layout, temporary);
  const layers = openLayers(join(root, 'layers'), temporary);
  const isNew = createLayout(layout, temporary);
  const references = openReferences(layout, temporary);
  const catalog = openCatalog({ references, blobs, layers });

  /** Changes index.json; nobody else does meanwhile. */
  const update = (change: (manifests: readonly Descriptor[]) => readonly Descriptor[]): Promise<void> =>
    withLock(lock, () => references.write(change(references.read())));

  /** The name's one descriptor; images that lose their last name stay, without one. */
  function rename(manifests: readonly Descriptor[], descriptor: Descriptor, name: string): Descriptor[] {
    const rest = manifests.filter(
      each => nameOf(each) !== name && !(nameOf(each) === undefined && each.digest === descriptor.digest),
    );
    const lost = manifests.filter(
      each =>
        nameOf(each) === name &&
        each.digest !== descriptor.digest &&
        !rest.some(other => other.digest === each.digest),
    );
    return [...rest, ...lost.map(each => named(each, undefined)), named(descriptor, name)];
  }

  async function addEmbedded(): Promise<void> {
    const { layer, config } = makeEmbeddedImage();
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      config: { mediaType: MEDIA.ociConfig, ...blobs.put(encodeJson(config)) },
      layers: [{ mediaType: MEDIA.ociLayer, ...blobs.put(layer) }],
    };
    const [diffId] = config.rootfs.diff_ids;
    await layers.unpack({ diffId: diffId!, source: () => once(layer) });
    const descriptor = { mediaType: MEDIA.ociManifest, ...blobs.put(encodeJson(manifest)) };
    await update(manifests => rename(manifests, descriptor, EMBEDDED_REFERENCE));
  }

  if (isNew) {
    // A machine without a busybox can still pull.
    await addEmbedded().catch(error => {
      if (!(error instanceof BadImage)) throw error;
    });
  }

  return {
    get: async reference => catalog.find(reference).image,
    list: async () => catalog.images(),

    async tag(image, text) {
      const reference = withTag(decodeReference(text));
      if (reference.digest !== undefined)
        throw new BadImage('refusing to create a tag with a digest reference');
      await update(manifests => rename(manifests, image.manifest, encodeReference(reference)));
    },

    async remove(reference, options) {
      const plan = planRemoval(catalog, reference, options);
      const { image } = plan;
      await update(manifests => {
        const rest = manifests.filter(each => !plan.names.includes(nameOf(each) ?? ''));
        const isImage = (each: Descriptor) => each.digest === image.manifest.digest;
        if (plan.deletes) return rest.filter(each => !isImage(each));
        return rest.some(isImage) ? rest : [...rest, image.manifest];
      });
      const deleted = plan.deletes ? [image.id, ...(await collect(image))] : [];
      return { untagged: plan.names.map(name => familiarReference(decodeReference(name))), deleted };
    },

    async lowerdirs(image) {
      const diffIds = image.config.rootfs.diff_ids;
      const missing = diffIds.filter(diffId => !layers.has(diffId));
      if (missing.length > 0) await unpackMissing(image, missing);
      return diffIds.map(diffId => layers.directory(diffId)).reverse();
    },

    async restoreEmbedded(text) {
      if (encodeReference(withTag(decodeReference(text))) !== EMBEDDED_REFERENCE) return undefined;
      await addEmbedded();
      return catalog.find(EMBEDDED_REFERENCE).image;
    },
  };

  async function unpackMissing(image: Image, missing: readonly string[]): Promise<void> {
    const found = catalog.byId(image.id);
    for (const diffId of missing) {
      const blob = found?.layers[image.config.rootfs.diff_ids.indexOf(diffId)];
      if (blob === undefined)
        throw new BadImage(`layer ${diffId} of image ${image.id} is not there: pull it again`);
      await layers.unpack({ diffId, source: () => blobs.stream(blob.digest) });
    }
  }

  /** Removes the blobs and layers that only this image had. Returns the diff ids that are gone. */
  async function collect(image: Image & { layers: readonly Descriptor[] }): Promise<string[]> {
    const others = catalog.images();
    const needed = new Set(
      others.flatMap(other => [
        other.id,
        other.manifest.digest,
        ...other.layers.map(layer => layer.digest),
        ...other.config.rootfs.diff_ids,
      ]),
    );
    for (const { digest } of [image.manifest, { digest: image.id }, ...image.layers]) {
      if (!needed.has(digest)) await blobs.remove(digest);
    }
    const gone = [...new Set(image.config.rootfs.diff_ids)].filter(diffId => !needed.has(diffId)).reverse();
    for (const diffId of gone) if (layers.has(diffId)) await layers.remove(layers.nameOf(diffId));
    return gone;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What a process that is no more was writing: names start with the pid. */
async function removeLeftovers(temporary: string): Promise<void> {
  for (const name of readdirSync(temporary)) {
    if (!isAlive(Number.parseInt(name, 10)))
      await rm(join(temporary, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
