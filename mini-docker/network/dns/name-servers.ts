// The name servers of all containers that have one: those on user-defined networks.
import { Descriptor } from '../../linux/descriptor.ts';
import { openNetworkNamespace } from '../../linux/network-namespace.ts';
import type { ContainerRecord } from '../record.ts';
import { bookOf, type Elsewhere } from './names.ts';
import { type NameServer, openNameServer } from './server.ts';
import { hostNameServers } from './upstream.ts';

export interface NameServers {
  /** Opens or closes the container's name server, as its networks require. */
  follow(containerId: string): Promise<void>;
  close(): Promise<void>;
}

export function createNameServers(
  containers: ReadonlyMap<string, ContainerRecord>,
  elsewhere?: Elsewhere,
): NameServers {
  const open = new Map<string, Promise<NameServer>>();

  const start = async (containerId: string, pid: number): Promise<NameServer> => {
    using opened = new Descriptor(openNetworkNamespace({ pid }));
    const upstream = (): readonly string[] | undefined => upstreamOf(containers.get(containerId));
    const book = bookOf(containerId, containers, elsewhere);
    return await openNameServer({ namespace: opened.number, book, upstream });
  };

  const stop = async (containerId: string): Promise<void> => {
    const server = open.get(containerId);
    open.delete(containerId);
    await server?.then(each => each.close());
  };

  return {
    async follow(containerId) {
      const record = containers.get(containerId);
      if (!record?.endpoints.some(each => each.dnsNames.length > 0)) return stop(containerId);
      if (open.has(containerId)) return;
      const starting = start(containerId, record.pid);
      open.set(containerId, starting);
      try {
        await starting;
      } catch (error) {
        open.delete(containerId);
        throw error;
      }
    },
    async close() {
      await Promise.all([...open.keys()].map(stop));
    },
  };
}

/** A container with only internal networks, which have no gateway, asks no servers outside. */
function upstreamOf(record: ContainerRecord | undefined): readonly string[] | undefined {
  if (!record?.endpoints.some(each => each.gateway !== '')) return undefined;
  const own = record.endpoints.flatMap(each => each.dnsServers);
  return own.length > 0 ? own : hostNameServers();
}
