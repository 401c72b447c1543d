// Routes for networks and for their containers.

import { badParameter } from '../engine/core/errors.ts';
import {
  networkConnectBody,
  networkCreateBody,
  networkDisconnectBody,
} from '../formats/engine-api/networks.ts';
import { networkConditionBody, networkPartitionBody } from '../formats/network-conditions.ts';
import { requiredJsonBody } from './json-body.ts';
import { jsonLine, pump } from './pump.ts';
import { filters, integer, text } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const networkRoutes: Route[] = [
  ...['/networks', '/networks/'].map(
    (pattern): Route => ({
      method: 'GET',
      pattern,
      handle: async ({ engine, query }) => json(await engine.networks.list(filters(query))),
    }),
  ),
  {
    method: 'POST',
    pattern: '/networks/create',
    handle: async call => {
      const body = await requiredJsonBody(call, networkCreateBody);
      return json(await call.engine.networks.create(body), 201);
    },
  },
  {
    method: 'POST',
    pattern: '/networks/prune',
    handle: async ({ engine, query }) => json(await engine.networks.prune(filters(query))),
  },
  {
    method: 'GET',
    pattern: '/networks/{id}',
    handle: async ({ engine, params }) => json(await engine.networks.inspect(params.id!)),
  },
  {
    method: 'DELETE',
    pattern: '/networks/{id}',
    handle: async ({ engine, params }) => {
      await engine.networks.remove(params.id!);
      return empty(204);
    },
  },
  { method: 'POST', pattern: '/networks/{id}/connect', handle: connect },
  { method: 'POST', pattern: '/networks/{id}/disconnect', handle: disconnect },
  // Extensions of Docker's API: bad networks on purpose, and the kernel's view of the networks.
  {
    method: 'GET',
    pattern: '/mini-docker/network-conditions',
    handle: async ({ engine, query }) =>
      json(await engine.networks.showConditions(query.get('target') ?? undefined)),
  },
  {
    method: 'POST',
    pattern: '/mini-docker/network-conditions',
    handle: async call => {
      await call.engine.networks.setCondition(await requiredJsonBody(call, networkConditionBody));
      return empty(204);
    },
  },
  {
    method: 'DELETE',
    pattern: '/mini-docker/network-conditions',
    handle: async ({ engine, query }) => {
      await engine.networks.clearConditions(query.get('target') ?? undefined);
      return empty(204);
    },
  },
  {
    method: 'GET',
    pattern: '/mini-docker/network-partition',
    handle: async ({ engine }) => json({ groups: engine.networks.partitions() }),
  },
  {
    method: 'POST',
    pattern: '/mini-docker/network-partition',
    handle: async call => {
      const { groups } = await requiredJsonBody(call, networkPartitionBody);
      await call.engine.networks.partition(groups);
      return empty(204);
    },
  },
  {
    method: 'GET',
    pattern: '/mini-docker/network-map',
    handle: async ({ engine }) => json(await engine.networks.map()),
  },
  { method: 'GET', pattern: '/mini-docker/network-trace', handle: trace },
];

/** JSON lines, until the client disconnects. */
async function trace(call: Call) {
  const { engine, query } = call;
  const container = text(query, 'container');
  if (container === undefined) throw badParameter('the name of the container is missing: container');
  const packets = engine.networks.trace(container, { port: integer(query, 'port'), signal: call.whenGone() });
  await pump(packets, call.stream({ 'Content-Type': 'application/json' }), jsonLine);
  return undefined;
}

async function connect(call: Call) {
  const body = await requiredJsonBody(call, networkConnectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.connect(call.params.id!, body);
  return empty(200);
}

async function disconnect(call: Call) {
  const body = await requiredJsonBody(call, networkDisconnectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.disconnect(call.params.id!, body);
  return empty(200);
}
