// Routes for local images.

import { imageFor, imagesFor } from './old-versions.ts';
import { filters, flag, reference, required, text } from './query.ts';
import { type Call, does, json, type Route, reads, route } from './router.ts';

export const imageRoutes: Route[] = [
  reads('GET', '/images/json', list),
  reads('POST', '/images/prune', ({ engine, query }) => engine.images.prune(filters(query))),
  // An extension of Docker's API: the files that each layer adds, changes and hides.
  reads('GET', '/mini-docker/image-layers', async ({ engine, query }) =>
    engine.images.layers(required(query, 'name', 'the name of the image')),
  ),
  route('GET', '/images/{name:path}/json', async ({ engine, params, version }) =>
    json(imageFor(await engine.images.inspect(params.name!), version)),
  ),
  reads('GET', '/images/{name:path}/history', ({ engine, params }) => engine.images.history(params.name!)),
  does('POST', '/images/{name:path}/tag', tag, 201),
  reads('DELETE', '/images/{name:path}', ({ engine, params, query }) => {
    const options = { force: flag(query, 'force') };
    return engine.images.remove(params.name!, options);
  }),
];

async function list({ engine, query, version }: Call) {
  const wanted = filters(query);
  // Versions before 1.41 have a separate parameter for the name.
  const name = version < 41 ? text(query, 'filter') : undefined;
  if (name !== undefined) wanted.reference = [...(wanted.reference ?? []), name];
  return imagesFor(await engine.images.list({ all: flag(query, 'all'), filters: wanted }), version);
}

async function tag({ engine, params, query }: Call) {
  required(query, 'repo', 'the new name');
  await engine.images.tag(params.name!, reference(query)!);
}
