// Networks, and containers on them.

import { badParameter } from '../engine/core/errors.ts';
import type {
  IpamConfig,
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkDisconnectBody,
} from '../formats/engine-api/networks.ts';
import { endpointSettings } from './container-body.ts';
import { boolean, type Decoder, list, map, object, requiredJsonBody, string } from './json-body.ts';
import { filters } from './query.ts';
import { type Call, empty, json, type Route } from './router.ts';

export const networkRoutes: Route[] = [
  {
    method: 'GET',
    pattern: '/networks',
    handle: async ({ engine, query }) => json(await engine.networks.list(filters(query))),
  },
  {
    method: 'POST',
    pattern: '/networks/create',
    handle: async call => {
      const { Name = '', ...body } = await requiredJsonBody(call, createBody);
      return json(await call.engine.networks.create({ Name, ...body }), 201);
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
  // Not Docker's: what the kernel has of them.
  {
    method: 'GET',
    pattern: '/mini-docker/network-map',
    handle: async ({ engine }) => json(await engine.networks.map()),
  },
];

const ipamConfig: Decoder<IpamConfig> = (value, where) => {
  const { AuxAddress, ...config } = object<IpamConfig & { AuxAddress?: Record<string, string> }>({
    Subnet: string,
    IPRange: string,
    Gateway: string,
    AuxiliaryAddresses: map(string),
    // As clients before 1.22 call it.
    AuxAddress: map(string),
  })(value, where);
  return { ...(AuxAddress ? { AuxiliaryAddresses: AuxAddress } : {}), ...config };
};

const createBody = object<NetworkCreateBody>({
  Name: string,
  CheckDuplicate: boolean,
  Driver: string,
  Scope: string,
  Internal: boolean,
  Attachable: boolean,
  Ingress: boolean,
  ConfigOnly: boolean,
  ConfigFrom: object<{ Network: string }>({ Network: string }),
  IPAM: object<NonNullable<NetworkCreateBody['IPAM']>>({
    Driver: string,
    Options: map(string),
    Config: list(ipamConfig),
  }),
  EnableIPv4: boolean,
  EnableIPv6: boolean,
  Options: map(string),
  Labels: map(string),
});

const connectBody = object<NetworkConnectBody>({ Container: string, EndpointConfig: endpointSettings });
const disconnectBody = object<NetworkDisconnectBody>({ Container: string, Force: boolean });

async function connect(call: Call) {
  const body = await requiredJsonBody(call, connectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.connect(call.params.id!, body);
  return empty(200);
}

async function disconnect(call: Call) {
  const body = await requiredJsonBody(call, disconnectBody);
  if (!body.Container) throw badParameter('invalid JSON: Container must name a container');
  await call.engine.networks.disconnect(call.params.id!, body);
  return empty(200);
}
