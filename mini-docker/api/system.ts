// Routes for the daemon itself: ping, version, info, disk usage, events.

import type { DiskUsage } from '../formats/engine-api/system.ts';
import { given } from '../formats/given.ts';
import { imagesFor, infoFor } from './old-versions.ts';
import { sendJson } from './pump.ts';
import { filters, integer, text, time } from './query.ts';
import { type Answer, type Call, json, type Route, route } from './router.ts';
import { API_VERSION, MIN_API_VERSION } from './versions.ts';

export const systemRoutes: Route[] = [
  route('GET', '/_ping', async () => PONG),
  route('HEAD', '/_ping', async () => ({ ...PONG, body: '' })),
  route('GET', '/version', version),
  route('GET', '/info', async ({ engine, version }) => json(infoFor(await engine.system.info(), version))),
  route('GET', '/events', events),
  route('GET', '/system/df', diskUsage),
  // An addition to Docker's API.
  route('GET', '/mini-docker/view', view),
];

const PONG: Answer = {
  status: 200,
  body: 'OK',
  headers: {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    // 1 is the classic builder, 2 BuildKit. Clients send builds accordingly.
    'Builder-Version': '1',
    Swarm: 'inactive',
  },
};

/** docker-compose 1 uses the version that the daemon names, and reads fields of images that 1.45 dropped. */
const NEWEST_FOR_COMPOSE_1 = 44;

async function version({ engine, request }: Call) {
  const isCompose1 = request.headers['user-agent']?.startsWith('docker-compose/1.');
  const newest = isCompose1 ? NEWEST_FOR_COMPOSE_1 : API_VERSION;
  const versions = { ApiVersion: `1.${newest}`, MinAPIVersion: `1.${MIN_API_VERSION}` };
  const found = engine.system.version();
  const [first, ...others] = found.Components;
  const components = first
    ? [
        {
          ...first,
          Details: {
            ...first.Details,
            ApiVersion: versions.ApiVersion,
            MinAPIVersion: versions.MinAPIVersion,
          },
        },
        ...others,
      ]
    : [];
  return json({ ...found, Components: components, ...versions });
}

async function events(call: Call) {
  const { engine, query } = call;
  const signal = call.whenGone();
  const messages = engine.system.events({
    ...given({ since: time(query, 'since'), until: time(query, 'until') }),
    filters: filters(query),
    signal,
  });
  try {
    // The head is sent immediately: clients take it as the sign that they miss no event from now on.
    await sendJson(call, messages);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

async function view(call: Call) {
  const { engine, query } = call;
  const interval = integer(query, 'interval') ?? 1000;
  const signal = call.whenGone();
  const container = given({ container: text(query, 'container') });
  await sendJson(call, engine.system.view({ ...container, interval, signal }));
  return undefined;
}

/** From 1.42 on clients select the kinds of objects; the others are left out. */
async function diskUsage({ engine, query, version }: Call) {
  const usage = await engine.system.diskUsage();
  usage.Images = imagesFor(usage.Images, version);
  if (version < 42) return json({ ...usage, BuilderSize: 0 });
  const types = new Set(query.getAll('type'));
  if (types.size === 0) return json(usage);
  const found: Partial<DiskUsage> = {};
  if (types.has('image')) {
    found.LayersSize = usage.LayersSize;
    found.Images = usage.Images;
  }
  if (types.has('container')) found.Containers = usage.Containers;
  if (types.has('volume')) found.Volumes = usage.Volumes;
  if (types.has('build-cache')) found.BuildCache = usage.BuildCache;
  return json(found);
}
