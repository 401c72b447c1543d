// Facts about a running container's network, from the kernel and from connection attempts.

import { connect } from 'node:net';
import { listeningSockets } from '../../../linux/proc/sockets.ts';
import { ownerOrSelf } from '../../networks/owner.ts';
import type { EngineContext } from '../../state/context.ts';
import type { LiveContainer } from '../../state/live-container.ts';
import { type Answer, isLoopback, type NetworkFacts, type PublishedFacts } from './network.ts';

/** Milliseconds to wait for an answer; on one machine a packet takes microseconds. */
const PATIENCE = 500;
/** Largest number of ports tried; a published range may have thousands. */
const MOST_PORTS = 16;
/** Address of mini-docker's name server in every container of a user-defined network. */
const NAME_SERVER = '127.0.0.11';

export async function networkFacts(context: EngineContext, live: LiveContainer): Promise<NetworkFacts> {
  const { record, run } = live;
  const owner = ownerOrSelf(context, record);
  const listening = listeningSockets(run!.container.pid).filter(({ address }) => address !== NAME_SERVER);
  const endpoint = context.networks.endpoints(owner.id).find(({ ipAddress }) => ipAddress !== '');
  const address = endpoint?.ipAddress ?? '';
  const isPaused = record.state.status === 'paused';
  const bindings = Object.entries(owner.ports ?? {}).flatMap(([name, list]) => {
    const [port, protocol = 'tcp'] = name.split('/');
    // A port usually has two bindings, one for IPv4 and one for IPv6.
    const seen = new Set<string>();
    return (list ?? []).flatMap(({ HostIp = '', HostPort = '' }) => {
      if (seen.has(HostPort)) return [];
      seen.add(HostPort);
      return [{ protocol, port: Number(port), hostIp: HostIp, hostPort: HostPort }];
    });
  });
  const published = await Promise.all(
    bindings.slice(0, MOST_PORTS).map(async (each): Promise<PublishedFacts> => {
      const isServed = listening.some(
        ({ port, protocol, address }) =>
          port === each.port && protocol === each.protocol && !isLoopback(address),
      );
      const tried = isServed && each.protocol === 'tcp' && address !== '' && !isPaused;
      const target = { address, port: each.port, protocol: each.protocol };
      const [answer, rules] = await Promise.all([
        tried ? knock(address, each.port) : undefined,
        isServed && address !== '' ? context.networks.rulesAgainst(owner.id, target).catch(() => []) : [],
      ]);
      return { ...each, answer, rules };
    }),
  );
  return {
    name: record.name,
    mode: record.hostConfig.NetworkMode ?? 'bridge',
    address,
    listening,
    published,
    exposed: Object.keys(record.config.ExposedPorts ?? {}),
    partition: partitionOf(context, owner.id),
    conditions: await context.networks
      .showConditions({ containerId: owner.id, name: owner.name })
      .catch(() => []),
  };
}

function partitionOf({ networks, containers }: EngineContext, id: string): NetworkFacts['partition'] {
  const groups = networks.partitions();
  const own = groups.find(group => group.includes(id));
  if (own === undefined) return { own: [], others: [] };
  const named = (ids: readonly string[]) => ids.map(each => containers.find(each)?.name ?? each.slice(0, 12));
  return { own: named(own), others: named(groups.filter(group => group !== own).flat()) };
}

/** Opens a connection and closes it. */
function knock(host: string, port: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const socket = connect({ host, port });
  socket.setTimeout(PATIENCE, () => resolve('silence'));
  socket.on('connect', () => resolve('connected'));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'silence'),
  );
  return promise.finally(() => socket.destroy());
}
