// Routes for volumes: data that outlives containers.

import { volumeCreateBody } from '../formats/engine-api/volumes.ts';
import { jsonBody } from './json-body.ts';
import { filters, flag } from './query.ts';
import { does, json, type Route, reads, route } from './router.ts';

export const volumeRoutes: Route[] = [
  reads('GET', '/volumes', ({ engine, query }) => engine.volumes.list(filters(query))),
  route('POST', '/volumes/create', async call =>
    json(await call.engine.volumes.create((await jsonBody(call, volumeCreateBody)) ?? {}), 201),
  ),
  // Before 1.42 prune removed named volumes, too.
  reads('POST', '/volumes/prune', ({ engine, query, version }) =>
    engine.volumes.prune({ ...filters(query), ...(version < 42 && { all: ['true'] }) }),
  ),
  reads('GET', '/volumes/{name}', ({ engine, params }) => engine.volumes.inspect(params.name!)),
  does('DELETE', '/volumes/{name}', ({ engine, params, query }) =>
    engine.volumes.remove(params.name!, { force: flag(query, 'force') }),
  ),
];
