// Engine.manifests: image indexes for several platforms, on top of the image store.

import { badParameter } from '../../formats/errors.ts';
import type { ManifestsApi } from '../core/engine.ts';
import type { EngineContext } from '../state/context.ts';

export function manifestsApi({ images }: EngineContext): ManifestsApi {
  const lists = images.manifestLists;
  return {
    async create(name, { images: members, ...options }) {
      if (members.length === 0) throw badParameter('a manifest list needs an image');
      return lists.create(name, members, options);
    },
    async annotate(name, image, platform) {
      await lists.annotate(name, image, platform);
    },
    async inspect(name, options = {}) {
      const { manifest, images: members } = await lists.inspect(name, options);
      return {
        Manifest: manifest,
        Images: members.map(({ from, descriptor }) => {
          const { mediaType, digest, size, platform } = descriptor;
          return { From: from, Descriptor: { mediaType, digest, size, platform } };
        }),
      };
    },
    push: (name, options) => lists.push(name, options),
    remove: name => lists.remove(name),
  };
}
