// Routes for containers: their life, from create to delete, and their state.

import type { StopOptions, WaitOptions } from '../engine/core/engine.ts';
import {
  containerConfig,
  containerCreateBody,
  containerUpdateBody,
  withZeroValues,
} from '../formats/engine-api/containers.ts';
import { badParameter, ExpectedError } from '../formats/errors.ts';
import { given } from '../formats/given.ts';
import { jsonBody, requiredJsonBody } from './json-body.ts';
import { containerFor } from './old-versions.ts';
import { jsonLine } from './pump.ts';
import { filters, flag, integer, terminalSize, text } from './query.ts';
import { type Call, does, json, type Route, reads, route } from './router.ts';

export const containerRoutes: Route[] = [
  reads('GET', '/containers/json', list),
  route('POST', '/containers/create', create),
  reads('POST', '/containers/prune', ({ engine, query }) => engine.containers.prune(filters(query))),
  // The name may be that of a link, 'web/db'.
  route('GET', '/containers/{id:path}/json', async ({ engine, params, query, version }) => {
    const found = await engine.containers.inspect(params.id!, { size: flag(query, 'size') });
    return json(containerFor(withZeroValues(found), version));
  }),
  does('POST', '/containers/{id}/start', start),
  // An extension: Docker has no such call.
  reads('GET', '/containers/{id}/security', ({ engine, params }) => engine.containers.security(params.id!)),
  // Ours, too.
  reads('GET', '/containers/{id}/why', ({ engine, params }) => engine.containers.why(params.id!)),
  does('POST', '/containers/{id}/stop', call =>
    call.engine.containers.stop(call.params.id!, stopOptions(call)),
  ),
  does('POST', '/containers/{id}/restart', call =>
    call.engine.containers.restart(call.params.id!, stopOptions(call)),
  ),
  does('POST', '/containers/{id}/kill', kill),
  does('POST', '/containers/{id}/pause', ({ engine, params }) => engine.containers.pause(params.id!)),
  does('POST', '/containers/{id}/unpause', ({ engine, params }) => engine.containers.unpause(params.id!)),
  route('POST', '/containers/{id}/wait', wait),
  does('POST', '/containers/{id}/rename', ({ engine, params, query }) =>
    engine.containers.rename(params.id!, (query.get('name') ?? '').replace(/^\//, '')),
  ),
  reads('POST', '/containers/{id}/update', async call =>
    call.engine.containers.update(call.params.id!, await requiredJsonBody(call, containerUpdateBody)),
  ),
  does(
    'POST',
    '/containers/{id}/resize',
    ({ engine, params, query }) => engine.containers.resize(params.id!, terminalSize(query)),
    200,
  ),
  reads('GET', '/containers/{id}/top', ({ engine, params, query }) =>
    engine.containers.top(params.id!, text(query, 'ps_args')),
  ),
  reads('GET', '/containers/{id}/trace', ({ engine, params }) => engine.containers.trace(params.id!)),
  does('DELETE', '/containers/{id:path}', ({ engine, params, query }) => {
    const options = { force: flag(query, 'force'), volumes: flag(query, 'v'), link: flag(query, 'link') };
    return engine.containers.remove(params.id!, options);
  }),
];

async function list({ engine, query }: Call) {
  const limit = integer(query, 'limit') ?? 0;
  return engine.containers.list({
    all: flag(query, 'all'),
    size: flag(query, 'size'),
    filters: filters(query),
    // Clients send 0 or -1 for no limit.
    ...given({ limit: limit > 0 ? limit : undefined }),
  });
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
  // Before 1.40 others could join the IPC namespace, unless the container said otherwise.
  if (call.version < 40)
    body.HostConfig = { ...body.HostConfig, IpcMode: body.HostConfig?.IpcMode || 'shareable' };
  const options = { body, ...given({ platform: text(query, 'platform') }) };
  // An extension of Docker's API: returns the steps that would start the container, and creates nothing.
  if (flag(query, 'explain')) return json(await engine.containers.explain(options));
  const name = text(query, 'name')?.replace(/^\/(?=.)/, '');
  // Ours, too: our `run` starts it at once, and need not wait for the disk twice.
  const starts = flag(query, 'starts');
  return json(await engine.containers.create({ ...options, ...given({ name }), starts }), 201);
}

async function start(call: Call) {
  const { engine, params } = call;
  const body = await jsonBody(call, value => value);
  if (typeof body === 'object' && body !== null && Object.keys(body).length > 0) {
    const since = 'was deprecated since API v1.22 and removed in v1.24';
    throw badParameter(`starting container with non-empty request body ${since}`);
  }
  await engine.containers.start(params.id!);
}

async function kill({ engine, params, query, version }: Call) {
  try {
    await engine.containers.kill(params.id!, text(query, 'signal'));
  } catch (error) {
    // Before 1.20 killing a stopped container was no error.
    if (version < 20 && error instanceof ExpectedError && error.kind === 'conflict') return;
    if (error instanceof ExpectedError && error.kind !== 'badParameter')
      throw new ExpectedError(error.kind, `Cannot kill container: ${params.id}: ${error.message}`);
    throw error;
  }
}

function stopOptions({ query }: Call): StopOptions {
  return given({ timeout: integer(query, 't'), signal: text(query, 'signal') });
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
