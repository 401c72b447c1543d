// Routes that move images: pull and push, load and save, import; and queries to registries.

import { badParameter } from '../engine/core/errors.ts';
import type { ProgressMessage } from '../formats/engine-api/images.ts';
import { decodeRegistryAuth, type RegistryAuth, registryAuth } from '../formats/registry-auth.ts';
import { errorAnswer } from './errors.ts';
import { requiredJsonBody } from './json-body.ts';
import { jsonLine, pump } from './pump.ts';
import { filters, flag, integer, text } from './query.ts';
import { type Call, json, type Route } from './router.ts';

export const imageTransferRoutes: Route[] = [
  { method: 'POST', pattern: '/images/create', handle: create },
  { method: 'POST', pattern: '/images/load', handle: load },
  { method: 'GET', pattern: '/images/get', handle: call => save(call, call.query.getAll('names')) },
  { method: 'GET', pattern: '/images/search', handle: search },
  { method: 'GET', pattern: '/images/{name:path}/get', handle: call => save(call, [call.params.name!]) },
  { method: 'POST', pattern: '/images/{name:path}/push', handle: push },
  { method: 'POST', pattern: '/auth', handle: login },
  {
    method: 'GET',
    pattern: '/distribution/{name:path}/json',
    handle: async call => json(await call.engine.images.distribution(call.params.name!, authOf(call))),
  },
  // An extension of Docker's API.
  { method: 'GET', pattern: '/mini-docker/image-verification', handle: verify },
];

const JSON_LINES = { 'Content-Type': 'application/json' };

/**
 * Runs `work` with a function that sends messages to the client. An error before the first message becomes a status,
 * later, or where the status is `alwaysOk`, by a last message.
 */
export async function withProgress(
  call: Call,
  work: (send: (message: ProgressMessage) => void) => Promise<void>,
  { alwaysOk = false } = {},
): Promise<undefined> {
  let out: ReturnType<Call['stream']> | undefined;
  const send = (message: ProgressMessage) => {
    out ??= call.stream(JSON_LINES);
    if (!out.destroyed) out.write(jsonLine(message));
  };
  try {
    await work(send);
    out ??= call.stream(JSON_LINES);
  } catch (error) {
    if (out === undefined && !alwaysOk) throw error;
    const { message } = errorAnswer(error);
    send({ errorDetail: { message }, error: message });
  }
  // A client that is still sending would otherwise wait for its data to be read.
  call.request.resume();
  out?.end();
  return undefined;
}

async function verify(call: Call) {
  const { engine, query } = call;
  const name = text(query, 'name');
  if (name === undefined) throw badParameter('the name of the image is missing: name');
  const key = text(query, 'key');
  return json(await engine.images.verify(name, { ...authOf(call), ...(key === undefined ? {} : { key }) }));
}

/** `docker pull`, or, with fromSrc, `docker import`. */
async function create(call: Call) {
  const { engine, query } = call;
  if (text(query, 'fromSrc') !== undefined) return importImage(call);
  const image = text(query, 'fromImage');
  if (image === undefined) throw badParameter('the name of the image is missing: fromImage');
  const tag = text(query, 'tag');
  const isDigest = tag?.includes(':') === true;
  const reference = tag === undefined ? image : `${image}${isDigest ? '@' : ':'}${tag}`;
  const platform = text(query, 'platform');
  const last = image.slice(image.lastIndexOf('/') + 1);
  return withProgress(call, send =>
    engine.images.pull(reference, {
      ...authOf(call),
      ...(platform === undefined ? {} : { platform }),
      allTags: tag === undefined && !/[:@]/.test(last),
      signal: call.whenGone(),
      send,
    }),
  );
}

async function importImage(call: Call) {
  const { engine, query, request } = call;
  const source = text(query, 'fromSrc');
  if (source !== '-') {
    throw badParameter(`cannot import from ${source}: fetch it first, and send it as the body (fromSrc=-)`);
  }
  const repository = text(query, 'repo');
  const tag = text(query, 'tag');
  const message = text(query, 'message');
  const platform = text(query, 'platform');
  return withProgress(call, async send => {
    const id = await engine.images.import({
      source: request.iterator({ destroyOnReturn: false }),
      ...(repository === undefined
        ? {}
        : { reference: tag === undefined ? repository : `${repository}:${tag}` }),
      ...(message === undefined ? {} : { message }),
      ...(platform === undefined ? {} : { platform }),
      changes: query.getAll('changes').filter(each => each !== ''),
    });
    send({ status: id });
  });
}

async function push(call: Call) {
  const { engine, params, query } = call;
  const tag = text(query, 'tag');
  const reference = tag === undefined ? params.name! : `${params.name}:${tag}`;
  return withProgress(call, send =>
    engine.images.push(reference, { ...authOf(call), signal: call.whenGone(), send }),
  );
}

/**
 * Clients look for what is wrong with an archive in the answer's stream, as dockerd tells it there. skopeo ends its upload
 * with the answer's head, so that comes after the upload.
 */
async function load(call: Call) {
  const { engine, query, request } = call;
  return withProgress(
    call,
    send =>
      engine.images.load(request.iterator({ destroyOnReturn: false }), { quiet: flag(query, 'quiet'), send }),
    { alwaysOk: true },
  );
}

async function save(call: Call, names: string[]) {
  if (names.length === 0) throw badParameter('the names of the images are missing: names');
  const archive = await call.engine.images.save(names);
  await pump(archive, call.stream({ 'Content-Type': 'application/x-tar' }), chunk => chunk);
  return undefined;
}

const LARGEST_SEARCH = 100;

async function search(call: Call) {
  const { engine, query } = call;
  const term = text(query, 'term');
  if (term === undefined) throw badParameter('the search term is missing: term');
  const limit = integer(query, 'limit') ?? 25;
  if (limit < 1 || limit > LARGEST_SEARCH) {
    throw badParameter(`invalid limit ${limit}: it must be from 1 to ${LARGEST_SEARCH}`);
  }
  const options = { limit, ...authOf(call), filters: filters(query) };
  return json(await engine.images.search(term, options));
}

async function login(call: Call) {
  const auth = await requiredJsonBody(call, registryAuth);
  await call.engine.images.login(auth);
  return json({ IdentityToken: '', Status: 'Login Succeeded' });
}

/** The client's credentials for the registry. */
export function authOf({ request }: Pick<Call, 'request'>): { auth?: RegistryAuth } {
  const header = request.headers['x-registry-auth'];
  try {
    const auth = decodeRegistryAuth(Array.isArray(header) ? header[0] : header);
    return auth === undefined ? {} : { auth };
  } catch (cause) {
    throw badParameter(`invalid X-Registry-Auth: ${(cause as Error).message}`);
  }
}
