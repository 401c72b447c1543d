// Routes for containers: their life, from create to delete, and their state.

import type { ListOptions, StopOptions, WaitOptions } from '../engine/core/engine.ts';
import { badParameter } from '../engine/core/errors.ts';
import {
  containerConfig,
  containerCreateBody,
  containerUpdateBody,
  withZeroValues,
} from '../formats/engine-api/containers.ts';
import { ExpectedError } from '../formats/errors.ts';
import { jsonBody, requiredJsonBody } from './json-body.ts';
import { containerFor } from './old-versions.ts';
import { jsonLine } from './pump.ts';
import { filters, flag, integer, terminalSize, text } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const containerRoutes: Route[] = [
  { method: 'GET', pattern: '/containers/json', handle: list },
  { method: 'POST', pattern: '/containers/create', handle: create },
  {
    method: 'POST',
    pattern: '/containers/prune',
    handle: async ({ engine, query }) => json(await engine.containers.prune(filters(query))),
  },
  {
    method: 'GET',
    // The name may be that of a link, 'web/db'.
    pattern: '/containers/{id:path}/json',
    handle: async ({ engine, params, query, version }) => {
      const found = await engine.containers.inspect(params.id!, { size: flag(query, 'size') });
      return json(containerFor(withZeroValues(found), version));
    },
  },
  { method: 'POST', pattern: '/containers/{id}/start', handle: start },
  {
    // An extension: Docker has no such call.
    method: 'GET',
    pattern: '/containers/{id}/security',
    handle: async ({ engine, params }) => json(await engine.containers.security(params.id!)),
  },
  {
    // Ours, too.
    method: 'GET',
    pattern: '/containers/{id}/why',
    handle: async ({ engine, params }) => json(await engine.containers.why(params.id!)),
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/stop',
    handle: async call => {
      await call.engine.containers.stop(call.params.id!, stopOptions(call));
      return empty(204);
    },
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/restart',
    handle: async call => {
      await call.engine.containers.restart(call.params.id!, stopOptions(call));
      return empty(204);
    },
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/kill',
    handle: kill,
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/pause',
    handle: async ({ engine, params }) => {
      await engine.containers.pause(params.id!);
      return empty(204);
    },
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/unpause',
    handle: async ({ engine, params }) => {
      await engine.containers.unpause(params.id!);
      return empty(204);
    },
  },
  { method: 'POST', pattern: '/containers/{id}/wait', handle: wait },
  {
    method: 'POST',
    pattern: '/containers/{id}/rename',
    handle: async ({ engine, params, query }) => {
      await engine.containers.rename(params.id!, (query.get('name') ?? '').replace(/^\//, ''));
      return empty(204);
    },
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/update',
    handle: async call =>
      json(
        await call.engine.containers.update(
          call.params.id!,
          await requiredJsonBody(call, containerUpdateBody),
        ),
      ),
  },
  {
    method: 'POST',
    pattern: '/containers/{id}/resize',
    handle: async ({ engine, params, query }) => {
      await engine.containers.resize(params.id!, terminalSize(query));
      return empty(200);
    },
  },
  {
    method: 'GET',
    pattern: '/containers/{id}/top',
    handle: async ({ engine, params, query }) =>
      json(await engine.containers.top(params.id!, text(query, 'ps_args'))),
  },
  {
    method: 'GET',
    pattern: '/containers/{id}/trace',
    handle: async ({ engine, params }) => json(await engine.containers.trace(params.id!)),
  },
  {
    method: 'DELETE',
    pattern: '/containers/{id:path}',
    handle: async ({ engine, params, query }) => {
      const options = { force: flag(query, 'force'), volumes: flag(query, 'v'), link: flag(query, 'link') };
      await engine.containers.remove(params.id!, options);
      return empty(204);
    },
  },
];

async function list({ engine, query }: Call) {
  const options: ListOptions = {
    all: flag(query, 'all'),
    size: flag(query, 'size'),
    filters: filters(query),
  };
  const limit = integer(query, 'limit');
  // Clients send 0 or -1 for no limit.
  if (limit !== undefined && limit > 0) options.limit = limit;
  return json(await engine.containers.list(options));
}

async function create(call: Call) {
  const { engine, query } = call;
  const body = await requiredJsonBody(call, containerCreateBody);
  if (!Object.keys(body).some(key => key in containerConfig.optional))
    throw badParameter('Config cannot be empty in order to create a container');
  const networks = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (call.version < 44 && networks.length > 1) {
    const names = networks.map(name => JSON.stringify(name)).join(', ');
    throw badParameter(`Container cannot be created with multiple network endpoints: ${names}`);
  }
  const platform = text(query, 'platform');
  const options = { body, ...(platform !== undefined && { platform }) };
  // An extension of Docker's API: returns the steps that would start the container, and creates nothing.
  if (flag(query, 'explain')) return json(await engine.containers.explain(options));
  const name = text(query, 'name')?.replace(/^\/(?=.)/, '');
  return json(await engine.containers.create({ ...options, ...(name !== undefined && { name }) }), 201);
}

async function start(call: Call) {
  const { engine, params } = call;
  const body = await jsonBody(call, value => value);
  if (typeof body === 'object' && body !== null && Object.keys(body).length > 0) {
    const since = 'was deprecated since API v1.22 and removed in v1.24';
    throw badParameter(`starting container with non-empty request body ${since}`);
  }
  await engine.containers.start(params.id!);
  return empty(204);
}

async function kill({ engine, params, query, version }: Call) {
  try {
    await engine.containers.kill(params.id!, text(query, 'signal'));
  } catch (error) {
    // Before 1.20 killing a stopped container was no error.
    if (version >= 20 || !(error instanceof ExpectedError && error.kind === 'conflict')) throw error;
  }
  return empty(204);
}

function stopOptions({ query }: Call): StopOptions {
  const timeout = integer(query, 't');
  const signal = text(query, 'signal');
  return { ...(timeout !== undefined && { timeout }), ...(signal !== undefined && { signal }) };
}

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;

async function wait(call: Call) {
  const { engine, params, query, version } = call;
  const options: WaitOptions = { signal: call.whenGone() };
  // Versions before 1.30 have no conditions, and send the answer's head only with the exit code.
  const old = version < 30;
  const asked = old ? undefined : text(query, 'condition');
  if (asked !== undefined) {
    const condition = CONDITIONS.find(each => each === asked);
    if (condition === undefined) throw badParameter(`invalid condition: "${asked}"`);
    options.condition = condition;
  }
  const { result } = await engine.containers.wait(params.id!, options);
  if (old) return json(await result);
  // `docker run` starts the container only after it has received this head, which must not wait for the exit.
  const out = call.stream({ 'Content-Type': 'application/json' });
  out.end(jsonLine(await result));
  return undefined;
}
