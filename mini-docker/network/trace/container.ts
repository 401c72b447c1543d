// A trace of one container's packets, with the names of those they meet.
import { conflict, notImplemented } from '../../formats/errors.ts';
import type { MissedPackets, TracedPacket } from '../../formats/network-trace.ts';
import type { Parts } from '../parts.ts';
import type { Names } from './packets.ts';
import { againstRoute } from './route.ts';
import { tracePackets } from './trace.ts';

export function traceContainer(
  parts: Parts,
  containerId: string,
  { port, signal }: { port?: number | undefined; signal: AbortSignal },
): AsyncIterable<TracedPacket | MissedPackets> {
  const { nft, attachments, publications, switchboard } = parts;
  if (switchboard.nat === false) {
    throw notImplemented(`packets are traced by rules of the firewall, and ${nft.absence}`);
  }
  const endpoints = attachments.containers.get(containerId)?.endpoints ?? [];
  const addresses = endpoints.flatMap(each => [each.ipAddress, each.ipv6Address]).filter(Boolean);
  if (addresses.length === 0) {
    throw conflict(
      'the container has no address of its own to follow: it does not run, or it is on the network none or host',
    );
  }
  const published = publications.rules().filter(({ containerIp }) => addresses.includes(containerIp));
  return tracePackets({ nft, target: { addresses, port, published }, names: namesOf(parts), signal });
}

function namesOf({ host, attachments, catalog }: Parts): Names {
  return {
    againstRoute: packet => againstRoute(host, packet),
    ofAddress(address) {
      for (const { containerName, endpoints } of attachments.containers.values())
        if (endpoints.some(each => each.ipAddress === address || each.ipv6Address === address))
          return containerName;
      for (const { record } of catalog.networks.values())
        if (record.resource.IPAM.Config.some(({ Gateway }) => Gateway === address))
          return `the host, gateway of ${record.resource.Name}`;
      return undefined;
    },
    ofLink(link) {
      for (const { containerName, endpoints } of attachments.containers.values())
        if (endpoints.some(each => each.link === link)) return `container ${containerName}`;
      for (const { record } of catalog.networks.values())
        if (record.bridge === link) return `network ${record.resource.Name}`;
      return undefined;
    },
  };
}
