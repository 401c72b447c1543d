// The content below a data root, and its two changes: adding an image and removing one.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Descriptor, decodeManifest } from '../formats/oci/image.ts';
import { decodeImageConfig } from '../formats/oci/image-config.ts';
import { ensureDirectory, sweep, type Tell } from '../linux/kept-file.ts';
import { withLock } from '../linux/lock.ts';
import { openArrivals } from './arrivals.ts';
import { type Blobs, openBlobs } from './blobs.ts';
import { type Catalog, type CatalogImage, openCatalog } from './catalog.ts';
import { ImageError } from './errors.ts';
import { type Layers, openLayers } from './layers.ts';
import { keepingParents, withParent } from './parents.ts';
import { named, nameOf, openReferences, type References, taggedAt, withTagTime } from './references.ts';
import { keepingOrigins } from './trust/origins.ts';

export interface Content {
  blobs: Blobs;
  layers: Layers;
  catalog: Catalog;
  /** Whether the root was just created. */
  isNew: boolean;
  namesLost: boolean;
  /** Directory for incoming files, on the blobs' filesystem. */
  temporary: string;
  /** Changes index.json; other changes wait. */
  update(change: (manifests: readonly Descriptor[]) => readonly Descriptor[]): Promise<void>;
  /**
   * Makes an image of existing blobs: unpacks its layers, and gives it its full names. All or nothing: on
   * failure the blobs and layers that came in for it are removed.
   * @throws ImageError when a layer is missing or broken
   */
  add(options: AddOptions): Promise<CatalogImage>;
  /** Runs `bring`, which stores blobs and layers; those that it holds are not collected meanwhile. */
  holding<T>(bring: (hold: (digest: string) => void) => Promise<T>): Promise<T>;
  /** Digests that are kept although no image needs them: a build cache's. */
  kept: Set<() => Iterable<string>>;
  /**
   * Removes those of the digests (blobs and diff ids) that no image needs. Returns the diff ids that were
   * removed.
   */
  collect(digests: Iterable<string>): Promise<string[]>;
  /** Call it before these lose what needs them: the next daemon collects them where this one is killed before it does. */
  leaving(digests: Iterable<string>): void;
  /** Collects what a killed daemon was bringing or removing. Call it once, when all that is kept is known. */
  collectInterrupted(): Promise<void>;
}

export interface AddOptions {
  manifest: Buffer;
  mediaType: string;
  names: readonly string[];
  /** Blobs that were just verified; others are read and verified again. */
  fresh?: ReadonlySet<string>;
  /**
   * Called for each layer, from the bottom, while its blob is unpacked; `current` is its progress in bytes.
   */
  onLayer?(diffId: string, index: number, current: number): void;
  /** The id of the image that this one was built from. */
  parent?: string | undefined;
  /** Kept with each of its names. */
  annotations?: Record<string, string> | undefined;
  /** Do not unpack layers until their directories are requested (ImageStore.lowerdirs). */
  unpackLater?: boolean;
}

/**
 * A power cut may have left files empty. Layers are unpacked again from their blobs.
 * @param suspicious digests that were not synced
 * @returns the blobs that are damaged or missing
 */
async function dropDamaged(
  suspicious: readonly string[],
  { blobs, layers }: Pick<Content, 'blobs' | 'layers'>,
): Promise<Set<string>> {
  const lost = new Set<string>();
  for (const digest of suspicious) {
    if (layers.has(digest)) await layers.remove(layers.nameOf(digest));
    const hash = createHash('sha256');
    if (blobs.size(digest) !== undefined) for await (const chunk of blobs.stream(digest)) hash.update(chunk);
    if (`sha256:${hash.digest('hex')}` === digest) continue;
    await blobs.remove(digest);
    lost.add(digest);
  }
  return lost;
}

/** Drops images that lost a blob: none is half there. */
async function dropBroken(
  lost: ReadonlySet<string>,
  content: Pick<Content, 'catalog' | 'update'> & { references: References; tell: Tell },
): Promise<void> {
  const { catalog, references, update, tell } = content;
  if (lost.size === 0) return;
  const isWhole = (each: Descriptor) => {
    const image = catalog.byManifest(each.digest) ?? catalog.byId(catalog.idOf(each) ?? '');
    return image === undefined ? !lost.has(each.digest) : !blobsOf(image).some(digest => lost.has(digest));
  };
  const broken = references.read().filter(each => !isWhole(each));
  if (broken.length === 0) return;
  await update(manifests => manifests.filter(each => !broken.includes(each)));
  for (const each of broken)
    tell(`the image ${nameOf(each) ?? each.digest} is gone: the machine went down before it was on the disk`);
}

export async function openContent(root: string, tell: Tell): Promise<Content> {
  const temporary = join(root, 'tmp');
  const layout = join(root, 'oci');
  ensureDirectory(temporary, { tell });
  // Temporary files of dead processes: names start with the pid.
  sweep(temporary, { unwanted: name => !isAlive(Number.parseInt(name, 10)), tell });
  const arrivals = openArrivals(join(root, 'arrivals'), tell);
  const { note } = arrivals;
  const blobs = await openBlobs(layout, temporary, { tell, note });
  const layers = openLayers(join(root, 'layers'), temporary, { tell, note });
  const lost = await dropDamaged(arrivals.suspicious, { blobs, layers });
  const references = await openReferences({ layout, temporary, blobs, tell });
  const catalog = openCatalog({ references, blobs, layers, tell });
  const held = new Map<string, number>();
  const kept: Content['kept'] = new Set();

  const update: Content['update'] = change =>
    withLock(join(root, 'lock'), () => {
      const before = references.read();
      const after = keepingParents(before, change(before), catalog.idOf);
      references.write(keepingOrigins(before, after, catalog.idOf));
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
      // Blobs that belong to an image by now stay.
      await collect(mine);
      if (held.size === 0) arrivals.settleLater();
    }
  };

  async function collect(digests: Iterable<string>): Promise<string[]> {
    // An uncompressed layer has the same digest as a blob and as its content; the two are tracked separately.
    const images = catalog.images();
    const neededBlobs = new Set([...catalog.variants()].flatMap(blobsOf));
    const neededLayers = new Set(images.flatMap(image => image.config.rootfs.diff_ids));
    const stay = new Set([...kept].flatMap(each => [...each()]));
    const gone: string[] = [];
    for (const digest of new Set(digests)) {
      if (held.has(digest) || stay.has(digest)) continue;
      if (!neededBlobs.has(digest)) await blobs.remove(digest);
      if (!neededBlobs.has(digest) && !neededLayers.has(digest)) arrivals.drop(digest);
      if (neededLayers.has(digest) || !layers.has(digest)) continue;
      await layers.remove(layers.nameOf(digest));
      gone.push(digest);
    }
    return gone;
  }

  const add: Content['add'] = options =>
    holding(async hold => {
      const { manifest: bytes, mediaType, names, fresh, parent, annotations, unpackLater, onLayer } = options;
      const manifest = decodeManifest(bytes);
      hold(manifest.config.digest);
      for (const layer of manifest.layers) hold(layer.digest);
      for (const { digest, size } of [manifest.config, ...manifest.layers]) {
        if (blobs.size(digest) !== size) throw new ImageError(`the image lacks ${digest} of ${size} bytes`);
      }
      const config = decodeImageConfig(blobs.read(manifest.config.digest));
      const diffIds = config.rootfs.diff_ids;
      if (config.os !== 'linux') throw new ImageError(`the image is for ${config.os}, not for linux`);
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
      const plain = { mediaType, ...blobs.put(bytes), ...(annotations === undefined ? {} : { annotations }) };
      const descriptor = withParent(plain, parent);
      hold(descriptor.digest);
      await update(manifests =>
        names.length === 0
          ? withoutName(manifests, descriptor)
          : names.reduce((all, name) => withName(all, { descriptor, name, idOf: catalog.idOf }), manifests),
      );
      return catalog.byManifest(descriptor.digest)!;
    });

  await dropBroken(lost, { catalog, references, update, tell });

  return {
    blobs,
    layers,
    catalog,
    leaving(digests) {
      for (const digest of digests) note(digest);
      arrivals.settleLater();
    },
    async collectInterrupted() {
      await collect(arrivals.unsettled);
      arrivals.settleLater();
    },
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

/** Passes the pieces on unchanged, and reports the number of bytes so far. */
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

/** All digests that an image needs, including all of its manifests. */
export const digestsOf = (catalog: Catalog, { id, config }: CatalogImage): string[] => [
  ...[...catalog.variants()].filter(variant => variant.id === id).flatMap(blobsOf),
  ...config.rootfs.diff_ids,
];

/**
 * Moves the name to this image; an image that thereby loses its last name stays without one. A name that is
 * this image's already, as after load, keeps its time.
 */
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
  const same = manifests.find(each => nameOf(each) === name && idOf(each) === id);
  const tagged = withTagTime(named(descriptor, name), same && taggedAt(same));
  return [...rest, ...lost.map(each => named(each, undefined)), tagged];
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
