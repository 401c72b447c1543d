// The published ports of all containers, and the rules for them.

import { isIP } from 'node:net';
import type { PortMap } from '../formats/engine-api/containers.ts';
import { badParameter } from '../formats/errors.ts';
import type { NetlinkSocket } from '../linux/netlink/socket.ts';
import { turnBack } from './cable.ts';
import type { Network } from './catalog.ts';
import { forgetFlows } from './flows.ts';
import type { OpenHostSocket } from './listener.ts';
import { type Publication, publishPorts } from './publisher.ts';
import { type ContainerRecord, type EndpointRecord, OPTION } from './record.ts';
import { isOn, type PublishedPort } from './rules.ts';
import { contains } from './subnet.ts';
import type { Switchboard } from './switchboard.ts';

export interface Publications {
  /** Replaces the container's published ports. @returns the bindings as chosen */
  publish(record: ContainerRecord, bindings: PortMap): Promise<PortMap>;
  unpublish(containerId: string): Promise<void>;
  /** Takes over ports that an earlier process published: opens sockets, and leaves the rules. */
  adopt(record: ContainerRecord): Promise<void>;
  /** Whether a port of the container is published to this address of it. */
  leadsTo(containerId: string, ipAddress: string): boolean;
  rules(): PublishedPort[];
  /** Closes the sockets, and leaves the rules. */
  close(): Promise<void>;
}

/** Whether packets from the host's other links reach the container through it. */
export const leadsOut = (each: EndpointRecord): boolean =>
  each.link !== '' && each.ipAddress !== '' && each.gateway !== '';

export function createPublications(options: {
  host: NetlinkSocket;
  networks: ReadonlyMap<string, Network>;
  switchboard: () => Switchboard;
  openHostSocket?: OpenHostSocket | undefined;
}): Publications {
  const { host, networks, switchboard, openHostSocket } = options;
  const all = new Map<string, Publication>();
  const isSecluded = (address: string): boolean =>
    [...networks.values()].some(
      ({ record, pools }) =>
        !isOn(record, OPTION.icc) &&
        pools.some(({ subnet }) => subnet.family === isIP(address) && contains(subnet, address)),
    );

  const open = async (record: ContainerRecord, bindings: PortMap, nat: boolean): Promise<EndpointRecord> => {
    const through = record.endpoints.find(leadsOut);
    if (!through) {
      const message = `container ${record.containerName} has no network through which ports can be published`;
      throw badParameter(message);
    }
    const publication = await publishPorts(bindings, {
      containerName: record.containerName,
      ipAddress: through.ipAddress,
      ipv6Address: through.ipv6Address,
      hostBinding: networks.get(through.networkId)?.record.resource.Options[OPTION.hostBinding] ?? '0.0.0.0',
      nat,
      isSecluded,
      openHostSocket,
    });
    all.set(record.containerId, publication);
    return through;
  };

  const unpublish = async (containerId: string): Promise<void> => {
    const publication = all.get(containerId);
    if (!publication) return;
    all.delete(containerId);
    await publication.close();
    await switchboard().applyRules();
    forgetFlows(publication.rules);
  };

  return {
    async publish(record, bindings) {
      await unpublish(record.containerId);
      const through = await open(record, bindings, switchboard().nat !== false);
      try {
        turnBack(host, through.link);
        await switchboard().applyRules();
        const publication = all.get(record.containerId);
        forgetFlows(publication?.rules ?? []);
        return publication?.ports ?? {};
      } catch (error) {
        await unpublish(record.containerId).catch(() => {});
        throw error;
      }
    },
    unpublish,
    async adopt(record) {
      await open(record, record.ports, true);
    },
    leadsTo: (containerId, ipAddress) =>
      all.get(containerId)?.rules.some(rule => rule.containerIp === ipAddress) ?? false,
    rules: () => [...all.values()].flatMap(each => each.rules),
    async close() {
      await Promise.all([...all.values()].map(each => each.close()));
    },
  };
}
