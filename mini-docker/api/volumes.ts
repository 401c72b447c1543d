// Routes for volumes: data that outlives containers.

import { volumeCreateBody } from '../formats/engine-api/volumes.ts';
import { jsonBody } from './json-body.ts';
import { filters, flag } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const volumeRoutes: Route[] = [
  {
    method: 'GET',
    pattern: '/volumes',
    handle: async ({ engine, query }) => json(await engine.volumes.list(filters(query))),
  },
  { method: 'POST', pattern: '/volumes/create', handle: create },
  { method: 'POST', pattern: '/volumes/prune', handle: prune },
  {
    method: 'GET',
    pattern: '/volumes/{name}',
    handle: async ({ engine, params }) => json(await engine.volumes.inspect(params.name!)),
  },
  {
    method: 'DELETE',
    pattern: '/volumes/{name}',
    handle: async ({ engine, params, query }) => {
      await engine.volumes.remove(params.name!, { force: flag(query, 'force') });
      return empty(204);
    },
  },
];

async function create(call: Call) {
  const body = (await jsonBody(call, volumeCreateBody)) ?? {};
  return json(await call.engine.volumes.create(body), 201);
}

/** Before 1.42 prune removed named volumes, too. */
async function prune({ engine, query, version }: Call) {
  const wanted = filters(query);
  return json(await engine.volumes.prune(version < 42 ? { ...wanted, all: ['true'] } : wanted));
}
