// Routes for local images.

import { badParameter } from '../engine/core/errors.ts';
import { imageFor, imagesFor } from './old-versions.ts';
import { filters, flag, text } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const imageRoutes: Route[] = [
  { method: 'GET', pattern: '/images/json', handle: list },
  {
    method: 'POST',
    pattern: '/images/prune',
    handle: async ({ engine, query }) => json(await engine.images.prune(filters(query))),
  },
  // An extension of Docker's API: the files that each layer adds, changes and hides.
  { method: 'GET', pattern: '/mini-docker/image-layers', handle: layers },
  {
    method: 'GET',
    pattern: '/images/{name:path}/json',
    handle: async ({ engine, params, version }) =>
      json(imageFor(await engine.images.inspect(params.name!), version)),
  },
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
      const options = { force: flag(query, 'force') };
      return json(await engine.images.remove(params.name!, options));
    },
  },
];

async function list({ engine, query, version }: Call) {
  const wanted = filters(query);
  // Versions before 1.41 have a separate parameter for the name.
  const name = version < 41 ? text(query, 'filter') : undefined;
  if (name !== undefined) wanted.reference = [...(wanted.reference ?? []), name];
  return json(imagesFor(await engine.images.list({ all: flag(query, 'all'), filters: wanted }), version));
}

async function tag({ engine, params, query }: Call) {
  const repository = text(query, 'repo');
  if (repository === undefined) throw badParameter('the new name is missing: repo');
  const name = text(query, 'tag');
  await engine.images.tag(params.name!, name === undefined ? repository : `${repository}:${name}`);
  return empty(201);
}

async function layers({ engine, query }: Call) {
  const name = text(query, 'name');
  if (name === undefined) throw badParameter('the name of the image is missing: name');
  return json(await engine.images.layers(name));
}
