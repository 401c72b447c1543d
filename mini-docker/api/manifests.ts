// Routes for images of several platforms under one name: an extension, since Docker's client keeps drafts and
// asks registries itself.

import { badParameter } from '../engine/core/errors.ts';
import type { ImagePlatform } from '../formats/engine-api/images.ts';
import { authOf } from './image-transfer.ts';
import { flag, text } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

const PATH = '/mini-docker/manifests';

export const manifestRoutes: Route[] = [
  {
    method: 'GET',
    pattern: PATH,
    handle: async call => json(await call.engine.manifests.inspect(nameOf(call), authOf(call))),
  },
  { method: 'POST', pattern: `${PATH}/create`, handle: create },
  { method: 'POST', pattern: `${PATH}/annotate`, handle: annotate },
  { method: 'POST', pattern: `${PATH}/push`, handle: push },
  {
    method: 'DELETE',
    pattern: PATH,
    handle: async call => {
      await call.engine.manifests.remove(nameOf(call));
      return empty(204);
    },
  },
];

function nameOf({ query }: Call): string {
  const name = text(query, 'name');
  if (name === undefined) throw badParameter('the name of the manifest list is missing: name');
  return name;
}

async function create(call: Call) {
  const images = call.query.getAll('image').filter(each => each !== '');
  const options = { images, amend: flag(call.query, 'amend'), ...authOf(call) };
  return json({ Name: await call.engine.manifests.create(nameOf(call), options) }, 201);
}

async function annotate(call: Call) {
  const { engine, query } = call;
  const image = text(query, 'image');
  if (image === undefined) throw badParameter('the name of the image is missing: image');
  const fields = { os: 'os', architecture: 'arch', variant: 'variant', 'os.version': 'osversion' };
  const platform: Partial<ImagePlatform> = Object.fromEntries(
    Object.entries(fields).flatMap(([field, name]) => {
      const value = text(query, name);
      return value === undefined ? [] : [[field, value]];
    }),
  );
  await engine.manifests.annotate(nameOf(call), image, platform);
  return empty(204);
}

async function push(call: Call) {
  const options = { purge: flag(call.query, 'purge'), ...authOf(call) };
  return json({ Digest: await call.engine.manifests.push(nameOf(call), options) });
}
