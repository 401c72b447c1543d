// Images. Those that are there already: getting others needs a registry.

import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/errors.ts';
import type { ImageInspect, ImageSummary, ImagesPruned } from '../formats/engine-api-images.ts';
import { decodeReference, familiarReference, withTag } from '../formats/image-reference.ts';
import { badRequest, notSupported } from './errors.ts';
import { jsonLine } from './pump.ts';
import { filters, flag, text } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const imageRoutes: Route[] = [
  { method: 'GET', pattern: '/images/json', handle: list },
  { method: 'POST', pattern: '/images/create', handle: create },
  { method: 'POST', pattern: '/images/prune', handle: prune },
  { method: 'GET', pattern: '/images/{name:path}/json', handle: inspect },
  {
    method: 'GET',
    pattern: '/images/{name:path}/history',
    handle: async ({ engine, params }) => json(await engine.images.history(params.name!)),
  },
  { method: 'POST', pattern: '/images/{name:path}/tag', handle: tag },
  {
    method: 'DELETE',
    pattern: '/images/{name:path}',
    handle: async ({ engine, params, query }) => {
      const options = { force: flag(query, 'force'), noPrune: flag(query, 'noprune') };
      return json(await engine.images.remove(params.name!, options));
    },
  },
];

async function list({ engine, query, version }: Call) {
  const wanted = filters(query);
  // Versions before 1.41 have a parameter of its own for the name.
  const name = version < 41 ? text(query, 'filter') : undefined;
  if (name !== undefined) wanted.reference = [...(wanted.reference ?? []), name];
  return json(
    withVirtualSize(await engine.images.list({ all: flag(query, 'all'), filters: wanted }), version),
  );
}

/** Clients before 1.44 print VirtualSize, which had long been the same as Size. */
export function withVirtualSize(images: ImageSummary[], version: number): ImageSummary[] {
  return version < 44 ? images.map(each => ({ ...each, VirtualSize: each.Size })) : images;
}

async function inspect({ engine, params, version }: Call) {
  const image: Partial<ImageInspect> = { ...(await engine.images.inspect(params.name!)) };
  if (version >= 44) delete image.VirtualSize;
  return json(image);
}

async function tag({ engine, params, query }: Call) {
  const repository = text(query, 'repo');
  if (repository === undefined) throw badRequest('the new name is missing: repo');
  const name = text(query, 'tag');
  await engine.images.tag(params.name!, name === undefined ? repository : `${repository}:${name}`);
  return empty(201);
}

/** Those without a name, or with the filter dangling=false all that no container stands on. */
async function prune({ engine, query }: Call) {
  const { dangling, ...others } = filters(query);
  const all = dangling?.some(value => ['false', '0'].includes(value)) ?? false;
  const wanted = all ? others : { ...others, dangling: ['true'] };
  const pruned: ImagesPruned = { ImagesDeleted: [], SpaceReclaimed: 0 };
  for (const { Id, RepoTags, Size } of await engine.images.list({ filters: wanted })) {
    try {
      const names = RepoTags.length > 0 ? RepoTags : [Id];
      for (const name of names) {
        const deleted = await engine.images.remove(name, { force: false });
        pruned.ImagesDeleted!.push(...deleted);
        if (deleted.some(each => each.Deleted === Id)) pruned.SpaceReclaimed += Size;
      }
    } catch (error) {
      // A container stands on it.
      if (!(error instanceof EngineError) || error.kind !== 'conflict') throw error;
    }
  }
  return json(pruned);
}

/** `docker pull` and `docker import`. The stream of progress messages that clients expect, where there is none to make. */
async function create(call: Call) {
  const { engine, query } = call;
  const image = text(query, 'fromImage');
  if (text(query, 'fromSrc') !== undefined) throw notSupported('importing images is not supported yet');
  if (image === undefined) throw badRequest('the name of the image is missing: fromImage');
  const wanted = text(query, 'tag');
  const reference =
    wanted === undefined ? image : wanted.startsWith('sha256:') ? `${image}@${wanted}` : `${image}:${wanted}`;
  const name = familiarReference(withTag(decodeReference(reference)));
  const platform = text(query, 'platform');
  if (!(await isThere({ engine, reference, platform }))) {
    throw notSupported(`no registry support yet: cannot pull ${name}${platform ? ` for ${platform}` : ''}`);
  }
  const out = call.stream({ 'Content-Type': 'application/json' });
  out.end(jsonLine({ status: `Status: Image is up to date for ${name}` }));
  return undefined;
}

async function isThere(options: {
  engine: Engine;
  reference: string;
  platform: string | undefined;
}): Promise<boolean> {
  const { engine, reference, platform } = options;
  try {
    const { Os, Architecture, Variant } = await engine.images.inspect(reference);
    if (platform === undefined) return true;
    const [os, architecture = Architecture, variant = Variant] = platform.split('/');
    return os === Os && architecture === Architecture && variant === Variant;
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'notFound') return false;
    throw error;
  }
}
