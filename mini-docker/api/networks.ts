// Routes for networks and for their containers.

import {
  networkConnectBody,
  networkCreateBody,
  networkDisconnectBody,
} from '../formats/engine-api/networks.ts';
import { badParameter } from '../formats/errors.ts';
import { networkConditionBody, networkPartitionBody } from '../formats/network-conditions.ts';
import { requiredJsonBody } from './json-body.ts';
import { sendJson } from './pump.ts';
import { filters, integer, required } from './query.ts';
import { type Call, does, json, type Route, reads, route } from './router.ts';

export const networkRoutes: Route[] = [
  ...['/networks', '/networks/'].map(pattern =>
    reads('GET', pattern, ({ engine, query }) => engine.networks.list(filters(query))),
  ),
  route('POST', '/networks/create', async call =>
    json(await call.engine.networks.create(await requiredJsonBody(call, networkCreateBody)), 201),
  ),
  reads('POST', '/networks/prune', ({ engine, query }) => engine.networks.prune(filters(query))),
  reads('GET', '/networks/{id}', ({ engine, params }) => engine.networks.inspect(params.id!)),
  does('DELETE', '/networks/{id}', ({ engine, params }) => engine.networks.remove(params.id!)),
  does('POST', '/networks/{id}/connect', connect, 200),
  does('POST', '/networks/{id}/disconnect', disconnect, 200),
  // Extensions of Docker's API: bad networks on purpose, and the kernel's view of the networks.
  reads('GET', '/mini-docker/network-conditions', ({ engine, query }) =>
    engine.networks.showConditions(query.get('target') ?? undefined),
  ),
  does('POST', '/mini-docker/network-conditions', async call =>
    call.engine.networks.setCondition(await requiredJsonBody(call, networkConditionBody)),
  ),
  does('DELETE', '/mini-docker/network-conditions', ({ engine, query }) =>
    engine.networks.clearConditions(query.get('target') ?? undefined),
  ),
  route('GET', '/mini-docker/network-partition', async ({ engine }) =>
    json({ groups: engine.networks.partitions() }),
  ),
  does('POST', '/mini-docker/network-partition', async call => {
    const { groups } = await requiredJsonBody(call, networkPartitionBody);
    return call.engine.networks.partition(groups);
  }),
  reads('GET', '/mini-docker/network-map', ({ engine }) => engine.networks.map()),
  route('GET', '/mini-docker/network-trace', trace),
];

/** JSON lines, until the client disconnects. */
async function trace(call: Call) {
  const { engine, query } = call;
  const container = required(query, 'container', 'the name of the container');
  const packets = engine.networks.trace(container, { port: integer(query, 'port'), signal: call.whenGone() });
  return sendJson(call, packets);
}

async function connect(call: Call) {
  const body = await requiredJsonBody(call, networkConnectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.connect(call.params.id!, body);
}

async function disconnect(call: Call) {
  const body = await requiredJsonBody(call, networkDisconnectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.disconnect(call.params.id!, body);
}
