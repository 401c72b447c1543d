// Under which names an image was pulled, with the signatures that the pull found, or that it was made here. index.json keeps
// it as an annotation of all of the image's names: neither another name nor a removed one hides where the image came from,
// and a push of an image that was made here does not look like a pull. Where neither is known (an older version kept no such
// annotation, and a rebuilt index has none), an image is not taken for one of our own.
import type { Descriptor } from '../../formats/oci/image.ts';
import { array, object, parse, string, strings } from '../../formats/schema.ts';
import type { Signature } from './signature.ts';

export interface Origin {
  /** The full reference that was pulled. */
  name: string;
  /** Of the manifest, and of the index around it. */
  digests: string[];
  signatures: Signature[];
}

const PULLED = 'mini-docker.pulled';
const MADE_HERE = 'mini-docker.made-here';

/** Whether the image was built, committed, imported or loaded here. */
export const isMadeHere = (descriptors: readonly Descriptor[]): boolean =>
  descriptors.some(({ annotations }) => annotations?.[MADE_HERE] !== undefined);

const originList = array(
  object(
    {},
    {
      name: string,
      digests: strings,
      signatures: array(object({}, { payload: string, signature: string })),
    },
  ),
);

const annotation = (origins: Iterable<Origin>): Record<string, string> => ({
  [PULLED]: JSON.stringify([...origins]),
});

export const pulledAs = (origin: Origin): Record<string, string> => annotation([origin]);

/** The latest of each name. */
export function originsOf(descriptors: readonly Descriptor[]): Origin[] {
  const found = descriptors.flatMap(read).map((each): [string, Origin] => [each.name, each]);
  return [...new Map(found).values()];
}

function read({ annotations }: Descriptor): Origin[] {
  const text = annotations?.[PULLED];
  try {
    return text === undefined ? [] : parse(text, PULLED, originList);
  } catch {
    // Another program wrote it.
    return [];
  }
}

/** Copies an image's origins to all of its names after a change, and marks new images that were not pulled. */
export function keepingOrigins(
  before: readonly Descriptor[],
  after: readonly Descriptor[],
  idOf: (descriptor: Descriptor) => string | undefined,
): readonly Descriptor[] {
  const known = new Set(before.map(idOf));
  const made = new Set(before.filter(each => isMadeHere([each])).map(idOf));
  const byId = new Map<string | undefined, Map<string, Origin>>();
  for (const each of [...before, ...after.filter(each => !before.includes(each))]) {
    for (const origin of read(each)) {
      const id = idOf(each);
      const origins = byId.get(id) ?? new Map<string, Origin>();
      byId.set(id, origins.set(origin.name, origin));
    }
  }
  return after.map(each => {
    const id = idOf(each);
    const origins = byId.get(id);
    const isOurs = made.has(id) || (!known.has(id) && origins === undefined);
    if (origins === undefined && !isOurs) return each;
    return {
      ...each,
      annotations: {
        ...each.annotations,
        ...(isOurs ? { [MADE_HERE]: 'true' } : {}),
        ...(origins === undefined ? {} : annotation(origins.values())),
      },
    };
  });
}
