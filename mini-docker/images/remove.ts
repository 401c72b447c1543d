// Decides what `rmi` removes, by docker's rules (Engine API, "Remove an image", and the output of the docker
// command).

import { decodeReference, familiarName } from '../formats/image-reference.ts';
import { shortId } from '../formats/short-id.ts';
import type { Catalog, CatalogImage } from './catalog.ts';
import { ImageError } from './errors.ts';
import type { RemoveOptions } from './image.ts';

export interface Removal {
  image: CatalogImage;
  /** Full names to be removed. */
  names: string[];
  /** Images to be deleted: none, or the image and its unnamed parents without other children. */
  deletes: CatalogImage[];
}

/** @throws ImageError when it cannot be removed */
export function planRemoval(catalog: Catalog, text: string, { force, inUse }: RemoveOptions): Removal {
  const { image, byName } = catalog.find(text);
  const users = inUse.get(image.id) ?? [];
  const running = users.find(user => user.running);
  const children = catalog.images().filter(each => each.parent === image.id);
  const conflict = (what: string) => new ImageError(`conflict: unable to ${what}`, { kind: 'conflict' });
  const refuse = (can: 'must be forced' | 'cannot be forced', why: string) =>
    conflict(`delete ${shortId(image.id)} (${can}) - ${why}`);

  if (byName !== undefined) {
    const [user] = users;
    if (!force && user !== undefined && isOnlyName(image, byName)) {
      throw conflict(
        `remove repository reference ${JSON.stringify(text)} (must force) - container ` +
          `${shortId(user.containerId)} is using its referenced image ${shortId(image.id)}`,
      );
    }
    const names = [byName, ...digestsLeftBehind(image, byName)];
    const left = image.names.length - names.length;
    const isFree = left === 0 && users.length === 0 && children.length === 0;
    return { image, names, deletes: isFree ? withParents(catalog, image, inUse) : [] };
  }

  if (children.length > 0) throw refuse('cannot be forced', 'image has dependent child images');
  if (running !== undefined) {
    throw refuse(
      'cannot be forced',
      `image is being used by running container ${shortId(running.containerId)}`,
    );
  }
  if (!force && repositories(image).size > 1)
    throw refuse('must be forced', 'image is referenced in multiple repositories');
  if (!force && image.repoTags.length > 1)
    throw refuse('must be forced', 'image is referenced in multiple repositories');
  if (!force && users[0] !== undefined) {
    const id = shortId(users[0].containerId);
    throw refuse('must be forced', `image is being used by stopped container ${id}`);
  }
  // A stopped container needs the image's layers to start again, so the image only loses its names.
  return { image, names: image.names, deletes: users.length === 0 ? withParents(catalog, image, inUse) : [] };
}

function withParents(catalog: Catalog, image: CatalogImage, inUse: RemoveOptions['inUse']): CatalogImage[] {
  const going = [image];
  for (let last = image; last.parent !== undefined; ) {
    const parent = catalog.byId(last.parent)!;
    const isNeeded = catalog.images().some(each => each.parent === parent.id && each !== last);
    if (parent.names.length > 0 || inUse.has(parent.id) || isNeeded) break;
    going.push(parent);
    last = parent;
  }
  return going;
}

const repositoryOf = (name: string): string => familiarName(decodeReference(name));

const repositories = (image: CatalogImage): Set<string> => new Set(image.names.map(repositoryOf));

/** A tag and the digests of the same repository count as one name. */
const isOnlyName = (image: CatalogImage, name: string): boolean =>
  image.names.length - 1 === digestsLeftBehind(image, name).length;

/** A repository's digests are removed with its last tag. */
function digestsLeftBehind(image: CatalogImage, name: string): string[] {
  const repository = repositoryOf(name);
  const others = image.names.filter(other => other !== name && repositoryOf(other) === repository);
  const isDigest = (other: string) => decodeReference(other).digest !== undefined;
  return !isDigest(name) && others.every(isDigest) ? others : [];
}
