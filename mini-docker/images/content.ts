// What is below a data root, and the two things that change it: an image comes in, an image goes.
import { join } from 'node:path';
import { type Descriptor, decodeManifest } from '../formats/oci/image.ts';
import { decodeImageConfig } from '../formats/oci/image-config.ts';
import { ensureDirectory, sweep, type Tell } from '../linux/kept-file.ts';
import { withLock } from '../linux/lock.ts';
import { type Blobs, openBlobs } from './blobs.ts';
import { type Catalog, type CatalogImage, openCatalog } from './catalog.ts';
import { ImageError } from './errors.ts';
import { type Layers, openLayers } from './layers.ts';
import { keepingParents, withParent } from './parents.ts';
import { named, nameOf, openReferences } from './references.ts';

export interface Content {
  blobs: Blobs;
  layers: Layers;
  catalog: Catalog;
  /** True when nobody opened this root before. */
  isNew: boolean;
  namesLost: boolean;
  /** For files on the way in: on the blobs' filesystem. */
  temporary: string;
  /** Changes index.json; nobody else does meanwhile. */
  update(change: (manifests: readonly Descriptor[]) => readonly Descriptor[]): Promise<void>;
  /**
   * Makes an image of blobs that are there: unpacks its layers, and gives it the names (in full). All of it
   * happens or nothing: on failure what came in for it is removed again. Throws ImageError.
   */
  add(options: AddOptions): Promise<CatalogImage>;
  /** Runs `bring`, which stores blobs and layers; what it holds is not collected meanwhile. */
  holding<T>(bring: (hold: (digest: string) => void) => Promise<T>): Promise<T>;
  /** Digests that stay, though no image needs them: a build cache's. */
  kept: Set<() => Iterable<string>>;
  /** Removes those of the digests (blobs and diff ids) that no image needs. Gives the diff ids that are gone. */
  collect(digests: Iterable<string>): Promise<string[]>;
}

export interface AddOptions {
  manifest: Buffer;
  mediaType: string;
  names: readonly string[];
  /** Blobs that were checked just now; others are read and checked once more. */
  fresh?: ReadonlySet<string>;
  /** Called for each layer, from the bottom, as its blob is unpacked; `current` bytes of it, and once at its end. */
  onLayer?(diffId: string, index: number, current: number): void;
  /** The id of the image that it was made from here. */
  parent?: string | undefined;
  /** Leave layers as they are until somebody asks for their directories (ImageStore.lowerdirs). */
  unpackLater?: boolean;
}

export async function openContent(root: string, tell: Tell): Promise<Content> {
  const temporary = join(root, 'tmp');
  const layout = join(root, 'oci');
  ensureDirectory(temporary, { tell });
  // What a process that is no more was writing: names start with the pid.
  sweep(temporary, { unwanted: name => !isAlive(Number.parseInt(name, 10)), tell });
  const blobs = await openBlobs(layout, temporary, tell);
  const layers = openLayers(join(root, 'layers'), temporary, tell);
  const references = await openReferences({ layout, temporary, blobs, tell });
  const catalog = openCatalog({ references, blobs, layers, tell });
  const held = new Map<string, number>();
  const kept: Content['kept'] = new Set();

  const update: Content['update'] = change =>
    withLock(join(root, 'lock'), () => {
      const before = references.read();
      references.write(keepingParents(before, change(before), catalog.idOf));
    });

  const holding: Content['holding'] = async bring => {
    const mine: string[] = [];
    try {
      return await bring(digest => {
        mine.push(digest);
        held.set(digest, (held.get(digest) ?? 0) + 1);
      });
    } finally {
      for (const digest of mine) {
        const count = held.get(digest)! - 1;
        if (count === 0) held.delete(digest);
        else held.set(digest, count);
      }
      // What was brought and belongs to an image now stays.
      await collect(mine);
    }
  };

  async function collect(digests: Iterable<string>): Promise<string[]> {
    // A layer that is not compressed has one digest as a blob and as what it unpacks to: the two are needed apart.
    const images = catalog.images();
    const neededBlobs = new Set([...catalog.variants()].flatMap(blobsOf));
    const neededLayers = new Set(images.flatMap(image => image.config.rootfs.diff_ids));
    const stay = new Set([...kept].flatMap(each => [...each()]));
    const gone: string[] = [];
    for (const digest of new Set(digests)) {
      if (held.has(digest) || stay.has(digest)) continue;
      if (!neededBlobs.has(digest)) await blobs.remove(digest);
      if (neededLayers.has(digest) || !layers.has(digest)) continue;
      await layers.remove(layers.nameOf(digest));
      gone.push(digest);
    }
    return gone;
  }

  const add: Content['add'] = options =>
    holding(async hold => {
      const { manifest: bytes, mediaType, names, fresh, parent, unpackLater, onLayer } = options;
      const manifest = decodeManifest(bytes);
      hold(manifest.config.digest);
      for (const layer of manifest.layers) hold(layer.digest);
      for (const { digest, size } of [manifest.config, ...manifest.layers]) {
        if (blobs.size(digest) !== size) throw new ImageError(`the image lacks ${digest} of ${size} bytes`);
      }
      const config = decodeImageConfig(blobs.read(manifest.config.digest));
      const diffIds = config.rootfs.diff_ids;
      if (config.os !== 'linux') throw new ImageError(`the image is for ${config.os}, and this is linux`);
      if (diffIds.length !== manifest.layers.length) {
        throw new ImageError(
          `the image has ${manifest.layers.length} layers, and diff ids for ${diffIds.length}`,
        );
      }
      for (const [index, diffId] of diffIds.entries()) {
        hold(diffId);
        const { digest, size } = manifest.layers[index]!;
        if (unpackLater) continue;
        const verified = digest === diffId && fresh?.has(digest) === true;
        const report = (current: number) => onLayer?.(diffId, index, current);
        await layers.unpack({ diffId, source: () => counted(blobs.stream(digest), report), verified });
        report(size);
      }
      const descriptor = withParent({ mediaType, ...blobs.put(bytes) }, parent);
      hold(descriptor.digest);
      await update(manifests =>
        names.length === 0
          ? withoutName(manifests, descriptor)
          : names.reduce((all, name) => withName(all, { descriptor, name, idOf: catalog.idOf }), manifests),
      );
      return catalog.byManifest(descriptor.digest)!;
    });

  return {
    blobs,
    layers,
    catalog,
    isNew: references.isNew,
    namesLost: references.namesLost,
    temporary,
    update,
    add,
    holding,
    kept,
    collect,
  };
}

/** The same pieces; tells how many bytes have been taken so far. */
export async function* counted(
  source: AsyncIterable<Uint8Array>,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    report(bytes);
    yield chunk;
  }
}

const blobsOf = (image: CatalogImage): string[] => [
  image.id,
  image.manifest.digest,
  ...image.layers.map(layer => layer.digest),
];

/** All that an image, with each of its manifests, needs to be there. */
export const digestsOf = (catalog: Catalog, { id, config }: CatalogImage): string[] => [
  ...[...catalog.variants()].filter(variant => variant.id === id).flatMap(blobsOf),
  ...config.rootfs.diff_ids,
];

/** The name is this image's alone; an image that loses its last name by that stays, without one. */
export function withName(
  manifests: readonly Descriptor[],
  { descriptor, name, idOf }: { descriptor: Descriptor; name: string; idOf: Catalog['idOf'] },
): readonly Descriptor[] {
  const id = idOf(descriptor);
  const isNameless = (each: Descriptor) => nameOf(each) === undefined && idOf(each) === id;
  const rest = manifests.filter(each => nameOf(each) !== name && !isNameless(each));
  const lost = manifests.filter(each => {
    const other = nameOf(each) === name ? idOf(each) : undefined;
    return other !== undefined && other !== id && !rest.some(kept => idOf(kept) === other);
  });
  return [...rest, ...lost.map(each => named(each, undefined)), named(descriptor, name)];
}

const withoutName = (manifests: readonly Descriptor[], descriptor: Descriptor): readonly Descriptor[] =>
  manifests.some(each => each.digest === descriptor.digest) ? manifests : [...manifests, descriptor];

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
