// Makes an image of what a stage has become, or finds the one that it is.

import { decodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { isNoSuchImage } from '../images/errors.ts';
import type { Image, ImageStore } from '../images/image.ts';
import { BuildError } from './errors.ts';
import { imageConfigOf, imageIdOf, isBase, type StageState } from './state.ts';

/** The image that the state is. @throws BuildError when it is nothing at all */
export async function imageOf(
  images: ImageStore,
  { state, tags }: { state: StageState; tags: string[] },
): Promise<Image> {
  const { base } = state;
  if (base === undefined && isBase(state)) {
    throw new BuildError('No image was generated. Is your Dockerfile empty?');
  }
  const known = base !== undefined && isBase(state) ? base : await existing(images, imageIdOf(state));
  if (known === undefined) {
    return images.loose.assemble({
      ...(base === undefined ? {} : { base }),
      layers: state.layers,
      config: imageConfigOf(state),
      references: tags,
    });
  }
  // Every step was in the cache, so the image exists. Tags that are already correct are not rewritten.
  for (const tag of tags) {
    if (!known.repoTags.includes(familiarReference(withTag(decodeReference(tag)))))
      await images.tag(known, tag);
  }
  return known;
}

async function existing(images: ImageStore, id: string): Promise<Image | undefined> {
  try {
    return await images.get(id);
  } catch (error) {
    if (isNoSuchImage(error)) return undefined;
    throw error;
  }
}
