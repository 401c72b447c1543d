// Routes that move images: pull and push, load and save, import; and queries to registries.

import type { ProgressMessage } from '../formats/engine-api/images.ts';
import { badParameter } from '../formats/errors.ts';
import { given } from '../formats/given.ts';
import { decodeRegistryAuth, type RegistryAuth, registryAuth } from '../formats/registry-auth.ts';
import { errorAnswer } from './errors.ts';
import { requiredJsonBody } from './json-body.ts';
import { jsonLine, sendTar } from './pump.ts';
import { filters, flag, integer, reference, required, text } from './query.ts';
import { type Call, json, type Route, reads, route } from './router.ts';

export const imageTransferRoutes: Route[] = [
  route('POST', '/images/create', create),
  route('POST', '/images/load', load),
  route('GET', '/images/get', call => save(call, call.query.getAll('names'))),
  reads('GET', '/images/search', search),
  route('GET', '/images/{name:path}/get', call => save(call, [call.params.name!])),
  route('POST', '/images/{name:path}/push', push),
  route('POST', '/auth', login),
  reads('GET', '/distribution/{name:path}/json', call =>
    call.engine.images.distribution(call.params.name!, authOf(call)),
  ),
  // An extension of Docker's API.
  reads('GET', '/mini-docker/image-verification', verify),
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
  const name = required(query, 'name', 'the name of the image');
  return engine.images.verify(name, { ...authOf(call), ...given({ key: text(query, 'key') }) });
}

/** `docker pull`, or, with fromSrc, `docker import`. */
async function create(call: Call) {
  const { engine, query } = call;
  if (text(query, 'fromSrc') !== undefined) return importImage(call);
  const image = required(query, 'fromImage', 'the name of the image');
  const tag = text(query, 'tag');
  const isDigest = tag?.includes(':') === true;
  const name = tag === undefined ? image : `${image}${isDigest ? '@' : ':'}${tag}`;
  const last = image.slice(image.lastIndexOf('/') + 1);
  return withProgress(call, send =>
    engine.images.pull(name, {
      ...authOf(call),
      ...given({ platform: text(query, 'platform') }),
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
  return withProgress(call, async send => {
    const id = await engine.images.import({
      source: request.iterator({ destroyOnReturn: false }),
      ...given({
        reference: reference(query),
        message: text(query, 'message'),
        platform: text(query, 'platform'),
      }),
      changes: query.getAll('changes').filter(each => each !== ''),
    });
    send({ status: id });
  });
}

async function push(call: Call) {
  const { engine, params, query } = call;
  const tag = text(query, 'tag');
  const name = tag === undefined ? params.name! : `${params.name}:${tag}`;
  return withProgress(call, send =>
    engine.images.push(name, { ...authOf(call), signal: call.whenGone(), send }),
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
  return sendTar(call, await call.engine.images.save(names));
}

const LARGEST_SEARCH = 100;

async function search(call: Call) {
  const { engine, query } = call;
  const term = required(query, 'term', 'the search term');
  const limit = integer(query, 'limit') ?? 25;
  if (limit < 1 || limit > LARGEST_SEARCH) {
    throw badParameter(`invalid limit ${limit}: it must be from 1 to ${LARGEST_SEARCH}`);
  }
  return engine.images.search(term, { limit, ...authOf(call), filters: filters(query) });
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
    return given({ auth: decodeRegistryAuth(Array.isArray(header) ? header[0] : header) });
  } catch (cause) {
    throw badParameter(`invalid X-Registry-Auth: ${(cause as Error).message}`);
  }
}
