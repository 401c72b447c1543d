// Pulls, pushes, loads, saves and imports images.

import { badParameter, type ExpectedError, notFound } from '../../formats/errors.ts';
import {
  decodeReference,
  encodeReference,
  familiarName,
  familiarReference,
  type ImageReference,
  withTag,
} from '../../formats/image-reference.ts';
import type { RegistryAuth } from '../../formats/registry-auth.ts';
import { isNoSuchImage } from '../../images/errors.ts';
import type { Image, ImageStore } from '../../images/image.ts';
import { RegistryError } from '../../images/registry/errors.ts';
import type { ImagesApi } from '../core/engine.ts';
import { checkFilterKeys, invalidFilter } from '../core/filter-values.ts';
import type { EngineContext } from '../state/context.ts';
import { changedConfig } from './commit.ts';
import { imageEvent } from './events.ts';
import { progressReporter, type SendProgress } from './progress.ts';

type TransferApi = Pick<
  ImagesApi,
  'pull' | 'push' | 'load' | 'save' | 'import' | 'login' | 'search' | 'distribution' | 'verify'
>;

export function imageTransferApi(context: EngineContext): TransferApi {
  const { images } = context;
  return {
    async pull(text, { allTags = false, auth, platform, signal, send }) {
      const reference = decodeReference(text);
      const options = {
        ...(auth === undefined ? {} : { auth }),
        signal: AbortSignal.any([signal, context.closing]),
      };
      const tags = allTags ? await images.remoteTags(text, options) : [undefined];
      for (const tag of tags.sort()) {
        const one = tag === undefined ? withTag(reference) : { ...reference, tag };
        await pullOne(context, one, { ...options, ...(platform === undefined ? {} : { platform }), send });
      }
    },

    async push(text, { auth, signal, send }) {
      const reference = decodeReference(text);
      if (reference.digest !== undefined) throw badParameter('cannot push a digest reference');
      send({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
      const tags = reference.tag === undefined ? await localTags(images, reference) : [reference.tag];
      for (const tag of tags) {
        const one = { ...reference, tag };
        const pushed = await images
          .push(encodeReference(one), {
            ...(auth === undefined ? {} : { auth }),
            signal: AbortSignal.any([signal, context.closing]),
            onProgress: progressReporter(send),
          })
          .catch(error => {
            throw isNoSuchImage(error) ? noSuchTag(one) : error;
          });
        const { config } = await images.get(familiarReference(one));
        imageEvent(context, 'push', { id: familiarReference(one), name: familiarName(one), config });
        send({ status: `${pushed.tag}: digest: ${pushed.digest} size: ${pushed.size}` });
        const aux = { Tag: pushed.tag, Digest: pushed.digest, Size: pushed.size };
        send({ progressDetail: {}, aux });
      }
    },

    async load(source, { quiet, send }) {
      const onProgress = quiet ? undefined : progressReporter(send);
      for (const { id, names, replaced } of await images.load(source, onProgress)) {
        for (const { name, id: old } of replaced) {
          const shown = familiarReference(decodeReference(name));
          send({
            stream: `The image ${shown} already exists, renaming the old one with ID ${old} to empty string\n`,
          });
        }
        imageEvent(context, 'load', { id, name: id, config: (await images.get(id)).config });
        for (const name of names) {
          send({ stream: `Loaded image: ${familiarReference(decodeReference(name))}\n` });
        }
        if (names.length === 0) send({ stream: `Loaded image ID: ${id}\n` });
      }
    },

    async save(references) {
      const archive = images.save(references);
      for (const reference of references) {
        // The name of a repository selects all its tags, and 'latest' need not be one.
        const found = await images.get(reference).catch(() => undefined);
        if (found) imageEvent(context, 'save', { ...found, name: found.id });
      }
      return archive;
    },

    async import({ source, reference, message, changes = [], platform }) {
      const config = changedConfig({}, changes);
      const image = await images.import({
        source,
        config,
        ...(reference === undefined ? {} : { reference }),
        ...(message === undefined ? {} : { message }),
        ...(platform === undefined ? {} : { platform }),
      });
      imageEvent(context, 'import', { ...image, name: reference ?? image.id });
      return image.id;
    },

    login: auth => images.login(auth),

    async search(term, { limit, auth, filters = {} }) {
      checkFilterKeys(filters, ['is-automated', 'is-official', 'stars']);
      const stars = Math.max(0, ...(filters.stars ?? []).map(count => wholeNumber(count)));
      const official = filters['is-official']?.[0];
      // Docker Hub has stopped automated builds, and reports false for every image.
      const automated = filters['is-automated']?.includes('true') ?? false;
      const found = await images.search(term, { limit, ...(auth === undefined ? {} : { auth }) });
      return found
        .filter(each => each.stars >= stars && !automated)
        .filter(each => official === undefined || each.official === ['true', '1'].includes(official))
        .map(({ name, description, stars, official }) => ({
          name,
          description,
          star_count: stars,
          is_official: official,
          is_automated: false,
        }));
    },

    async verify(text, options = {}) {
      const { digest, place, fault, verdicts } = await images.examine(text, options);
      return {
        Digest: digest,
        Policy: place,
        Accepted: fault === undefined,
        ...(fault === undefined ? {} : { Reason: fault }),
        Signatures: verdicts.map(({ signedName, fault }) => ({
          ...(signedName === undefined ? {} : { Name: signedName }),
          ...(fault === undefined ? {} : { Fault: fault }),
        })),
      };
    },

    async distribution(text, { auth } = {}) {
      const found = await images.describeRemote(text, auth === undefined ? {} : { auth });
      const { mediaType, digest, size } = found.descriptor;
      return { Descriptor: { mediaType, digest, size }, Platforms: found.images.map(each => each.platform) };
    },
  };
}

interface PullOne {
  auth?: RegistryAuth;
  platform?: string;
  signal: AbortSignal;
  send: SendProgress;
}

async function pullOne(
  context: EngineContext,
  reference: ImageReference,
  { send, ...options }: PullOne,
): Promise<void> {
  const { images } = context;
  const name = familiarReference(reference);
  const onProgress = progressReporter(send);
  const done = (status: string, { config }: Image) => {
    imageEvent(context, 'pull', { id: name, name: familiarName(reference), config });
    send({ status });
  };
  try {
    const pulled = await images.pull(encodeReference(reference), { ...options, onProgress });
    send({ status: `Digest: ${pulled.digest}` });
    const status = pulled.isUpToDate ? 'Image is up to date' : 'Downloaded newer image';
    done(`Status: ${status} for ${name}`, pulled.image);
  } catch (error) {
    // The image that is included in the program needs no registry.
    const isWanted =
      error instanceof RegistryError && options.platform === undefined && !(await isThere(images, name));
    const own = isWanted ? await images.restoreEmbedded(name) : undefined;
    if (own === undefined) throw error;
    done(`Status: ${(error as Error).message}; this is the ${name} that comes with mini-docker`, own);
  }
}

const isThere = (images: ImageStore, name: string): Promise<boolean> =>
  images.get(name).then(
    () => true,
    () => false,
  );

const noSuchTag = (reference: ImageReference): ExpectedError =>
  notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);

/** The local tags for `push --all-tags`. */
async function localTags(images: ImageStore, reference: ImageReference): Promise<string[]> {
  const all = await images.list();
  const tags = all
    .flatMap(image => image.repoTags)
    .map(decodeReference)
    .filter(each => each.domain === reference.domain && each.path === reference.path)
    .flatMap(({ tag }) => tag ?? []);
  if (tags.length === 0) throw noSuchTag(reference);
  return tags.sort();
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw invalidFilter('stars', text);
  return Number(text);
}
