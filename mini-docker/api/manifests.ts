// Routes for images of several platforms under one name: an extension, since Docker's client keeps drafts and
// asks registries itself.

import type { ImagePlatform } from '../formats/engine-api/images.ts';
import { given } from '../formats/given.ts';
import { authOf } from './image-transfer.ts';
import { flag, required, text } from './query.ts';
import { type Call, does, json, type Route, reads, route } from './router.ts';

const PATH = '/mini-docker/manifests';

export const manifestRoutes: Route[] = [
  reads('GET', PATH, call => call.engine.manifests.inspect(nameOf(call), authOf(call))),
  route('POST', `${PATH}/create`, create),
  does('POST', `${PATH}/annotate`, annotate),
  route('POST', `${PATH}/push`, push),
  does('DELETE', PATH, call => call.engine.manifests.remove(nameOf(call))),
];

const nameOf = ({ query }: Call): string => required(query, 'name', 'the name of the manifest list');

async function create(call: Call) {
  const images = call.query.getAll('image').filter(each => each !== '');
  const options = { images, amend: flag(call.query, 'amend'), ...authOf(call) };
  return json({ Name: await call.engine.manifests.create(nameOf(call), options) }, 201);
}

async function annotate(call: Call) {
  const { engine, query } = call;
  const image = required(query, 'image', 'the name of the image');
  const platform: Partial<ImagePlatform> = given({
    os: text(query, 'os'),
    architecture: text(query, 'arch'),
    variant: text(query, 'variant'),
    'os.version': text(query, 'osversion'),
  });
  await engine.manifests.annotate(nameOf(call), image, platform);
}

async function push(call: Call) {
  const options = { purge: flag(call.query, 'purge'), ...authOf(call) };
  return json({ Digest: await call.engine.manifests.push(nameOf(call), options) });
}
