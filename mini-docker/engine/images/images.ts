// Images in Docker's terms, on top of the image store (images/image.ts).

import { dirname, join } from 'node:path';
import type {
  ImageDeleted,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
} from '../../formats/engine-api/images.ts';
import type { Filters } from '../../formats/engine-api/system.ts';
import { badParameter, FormatError } from '../../formats/errors.ts';
import { matchesLabels, untilTime } from '../../formats/filters.ts';
import { compileGlob, type Glob } from '../../formats/glob.ts';
import {
  decodeReference,
  encodeReference,
  familiarName,
  familiarReference,
  withTag,
} from '../../formats/image-reference.ts';
import { NEVER_TIME } from '../../formats/timestamp.ts';
import type { Image, ImageStore, ImageUser } from '../../images/image.ts';
import type { ImagesApi } from '../core/engine.ts';
import { filterTruth, invalidFilter } from '../core/filter-values.ts';
import type { EngineContext } from '../state/context.ts';
import type { ContainerRecord } from '../state/record.ts';
import { imageEvent } from './events.ts';
import { imageLayers } from './layers.ts';
import { pruneImages } from './prune.ts';
import { imageTransferApi } from './transfer.ts';

export function imagesApi(context: EngineContext): ImagesApi {
  const { images } = context;

  const api: ImagesApi = {
    ...imageTransferApi(context),

    async list({ filters = {}, all: showAll = false } = {}) {
      const all = (await images.list()).filter((image, _, found) => showAll || !isIntermediate(image, found));
      const keep = await predicate(context, filters);
      const references = (filters.reference ?? []).map(referencePattern);
      const newestFirst = all.filter(keep).sort((a, b) => created(b) - created(a));
      return newestFirst.map(image => {
        const found = summary(context, image);
        if (references.length === 0) return found;
        // As in dockerd, an image with several names shows only those that match.
        const wanted = (tag: string) => references.some(fits => fits(tag));
        return { ...found, RepoTags: found.RepoTags.filter(wanted) };
      });
    },

    async inspect(reference) {
      return inspectImage(context, await images.get(reference));
    },

    async history(reference) {
      const image = await images.get(reference);
      return images.history(image).map(
        (line): ImageHistoryItem => ({
          Id: line.id ?? '<missing>',
          Created: line.created ? Math.floor(Date.parse(line.created) / 1000) : 0,
          CreatedBy: line.createdBy,
          Tags: line.id ? image.repoTags : null,
          Size: line.size,
          Comment: line.comment,
        }),
      );
    },

    async tag(reference, name) {
      const image = await images.get(reference);
      await images.tag(image, name);
      imageEvent(context, 'tag', { ...image, name: familiarReference(withTag(decodeReference(name))) });
    },

    async remove(reference, { force }) {
      if (reference.trim() === '') throw badParameter('image name cannot be blank');
      const { id, config } = await images.get(reference);
      const removed = await images.remove(reference, { force, inUse: users(context) });
      const { untagged, deleted, layers } = removed;
      for (const name of untagged) imageEvent(context, 'untag', { id, name, config });
      for (const each of deleted) {
        imageEvent(context, 'delete', {
          id: each,
          name: each,
          config: each === id ? config : { ...config, config: {} },
        });
      }
      return [
        ...untagged.map((Untagged): ImageDeleted => ({ Untagged })),
        ...[...deleted, ...layers].map((Deleted): ImageDeleted => ({ Deleted })),
      ];
    },

    prune: filters => pruneImages(context, api, filters),
    layers: reference => imageLayers(context, reference),
  };
  return api;
}

/** An image without a name that another one was built from: docker shows it with --all only. */
const isIntermediate = ({ id, repoTags, repoDigests }: Image, all: readonly Image[]): boolean =>
  repoTags.length + repoDigests.length === 0 && all.some(each => each.parent === id);

export function summary(context: EngineContext, image: Image): ImageSummary {
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Created: Math.floor(Date.parse(image.config.created ?? NEVER_TIME) / 1000),
    Size: image.size,
    SharedSize: -1,
    Labels: image.config.config?.Labels ?? null,
    Containers: [...context.containers].filter(({ record }) => record.imageId === image.id).length,
  };
}

function users(context: EngineContext): Map<string, ImageUser[]> {
  const found = new Map<string, ImageUser[]>();
  for (const live of context.containers) {
    const user = { containerId: live.id, running: live.isRunning };
    for (const id of imagesOf(live.record)) found.set(id, [...(found.get(id) ?? []), user]);
  }
  return found;
}

/** The image that it was made from, and those that it mounts. */
const imagesOf = ({ imageId, mounts }: ContainerRecord): Set<string> =>
  new Set([imageId, ...mounts.filter(({ Type }) => Type === 'image').map(({ Source }) => Source)]);

function inspectImage({ images }: EngineContext, image: Image): ImageInspect {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? NEVER_TIME,
    DockerVersion: '',
    Author: config.author ?? '',
    Config: {
      Hostname: '',
      Domainname: '',
      User: '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: null,
      Cmd: null,
      Image: '',
      Volumes: null,
      WorkingDir: '',
      Entrypoint: null,
      OnBuild: null,
      Labels: null,
      ...config.config,
    },
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: { Name: 'overlay2', Data: layerDirectories(images, config.rootfs.diff_ids) },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.lastTagged ?? NEVER_TIME },
  };
}

/** Directories of the layers; of the topmost one first, as in Docker. */
function layerDirectories({ loose }: ImageStore, diffIds: string[]): Record<string, string> | null {
  const [top, ...below] = diffIds.toReversed().map(loose.directory);
  if (top === undefined) return null;
  const beside = (name: string) => join(dirname(top), name);
  return {
    ...(below.length > 0 ? { LowerDir: below.join(':') } : {}),
    MergedDir: beside('merged'),
    UpperDir: top,
    WorkDir: beside('work'),
  };
}

const created = (image: Image): number => Date.parse(image.config.created ?? NEVER_TIME);

async function predicate(context: EngineContext, filters: Filters): Promise<(image: Image) => boolean> {
  const tests: ((image: Image) => boolean)[] = [];
  for (const [key, values] of Object.entries(filters)) {
    if (values.length === 0) continue;
    switch (key) {
      case 'dangling': {
        const wanted = filterTruth(filters, key);
        if (wanted !== undefined) tests.push(image => (image.repoTags.length === 0) === wanted);
        break;
      }
      case 'label':
      case 'label!':
        tests.push(image => matchesLabels(image.config.config?.Labels ?? {}, { [key]: values }));
        break;
      case 'reference': {
        const patterns = values.map(referencePattern);
        tests.push(({ repoTags, repoDigests }) =>
          [...repoTags, ...repoDigests].some(name => patterns.some(fits => fits(name))),
        );
        break;
      }
      case 'before':
      case 'since': {
        const time = created(await context.images.get(values[0]!));
        tests.push(image => (key === 'before' ? created(image) < time : created(image) > time));
        break;
      }
      case 'until': {
        const time = Number(untilTime(values[0]!) / 1_000_000n);
        tests.push(image => created(image) < time);
        break;
      }
      default:
        throw invalidFilter(key);
    }
  }
  return image => tests.every(test => test(image));
}

/**
 * 'busybox', 'busybox:1.*', 'localhost:5000/*': a wildcard matches anything but '/'. A name may have a
 * digest.
 */
function referencePattern(pattern: string): (name: string) => boolean {
  const glob = filterGlob(`reference=${pattern}`, pattern);
  return name => {
    const { domain, path } = decodeReference(name);
    return [
      name,
      familiarName({ domain, path }),
      encodeReference(decodeReference(name)),
      `${domain}/${path}`,
    ].some(each => glob.matches(each));
  };
}

function filterGlob(filter: string, pattern: string): Glob {
  try {
    return compileGlob(pattern, { separator: '/', sets: true });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw badParameter(`invalid filter '${filter}': syntax error in pattern: ${error.message}`);
  }
}
