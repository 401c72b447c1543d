// Recovers the connections of running containers whose records are lost: the kernel still has the cables, and
// the engine still knows what was asked for.

import { quietly } from '../formats/quietly.ts';
import { decodeAddress, listAddresses } from '../linux/netlink/addresses.ts';
import { decodeLink, type Link, listLinks } from '../linux/netlink/links.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import { namespaceInode } from '../linux/proc/namespaces.ts';
import { findBridge } from './bridge.ts';
import type { Network } from './catalog.ts';
import type { AttachOptions, RunningContainer } from './network.ts';
import type { Parts } from './parts.ts';
import { type Cable, hasLinks } from './record.ts';
import { contains } from './subnet.ts';

/** Completes the container's record; a network whose cable is gone, too, is left out. */
export function recoverConnections(parts: Parts, { containerId, pid, known }: RunningContainer): void {
  if (known === undefined) return;
  const { catalog, attachments, tell } = parts;
  const { containerName, ports } = known;
  const isKnown = ({ record }: Network): boolean =>
    attachments.containers.get(containerId)?.endpoints.some(each => each.networkId === record.resource.Id) ===
    true;
  const asked = known.asked.flatMap(options => {
    const network = [...catalog.networks.values()].find(
      each => each.record.resource.Name === options.network,
    );
    return network === undefined || isKnown(network) ? [] : [{ options, network }];
  });
  if (attachments.containers.has(containerId) && asked.length === 0) return;

  const recovered: string[] = [];
  const record = (options: AttachOptions, network: Network, cable: Cable | undefined): void => {
    try {
      attachments.recover(options, network, cable);
      recovered.push(network.record.resource.Name);
    } catch (error) {
      tell(`container ${containerName}: its connection to ${options.network}: ${(error as Error).message}`);
    }
  };
  for (const { options, network } of asked)
    if (!hasLinks(network.record)) record(options, network, undefined);
  for (const { network, cable, preferred } of cablesOf(parts, pid)) {
    if (isKnown(network)) continue;
    const options = asked.find(each => each.network === network)?.options;
    const wanted = options ?? { network: network.record.resource.Name, containerId, containerName, pid };
    record(
      { ...wanted, preferred: wanted.preferred?.ipAddress ? wanted.preferred : preferred },
      network,
      cable,
    );
  }
  const now = attachments.containers.get(containerId);
  if (now === undefined || recovered.length === 0) return;
  if (Object.keys(now.ports).length === 0) attachments.save({ ...now, ports });
  tell(
    `the record of container ${containerName}'s networks is lost: the kernel still has ${recovered.join(', ')}`,
  );
}

interface FoundCable {
  network: Network;
  cable: Cable;
  /** The addresses of the container's end. */
  preferred: { ipAddress?: string; ipv6Address?: string };
}

function cablesOf({ host, catalog, attachments }: Parts, pid: number): FoundCable[] {
  const recorded = new Set(
    [...attachments.containers.values()].flatMap(({ endpoints }) => endpoints.map(each => each.link)),
  );
  const networks = new Map<number, Network>();
  for (const network of catalog.networks.values()) {
    const bridge = network.record.bridge === '' ? undefined : findBridge(host, network.record);
    if (bridge !== undefined) networks.set(bridge.index, network);
  }
  const ends = host.dump(listLinks(), decodeLink).filter(each => !recorded.has(each.name));
  return linksInside(pid).flatMap(({ link, addresses }) => {
    // Each end knows the index of the other one, in the other one's namespace.
    const end = ends.find(each => each.index === link.peer && each.peer === link.index);
    const network = networks.get(end?.master ?? 0);
    if (end === undefined || network === undefined) return [];
    const preferred: FoundCable['preferred'] = {};
    for (const { subnet } of network.pools) {
      const address = addresses.find(each => contains(subnet, each));
      if (address !== undefined) preferred[subnet.family === 4 ? 'ipAddress' : 'ipv6Address'] = address;
    }
    return { network, cable: { link: end.name, interface: link.name, macAddress: link.mac }, preferred };
  });
}

/** The ends of veth pairs in the namespace of a process; none where it is the host's, or the process has just ended. */
function linksInside(pid: number): { link: Link; addresses: string[] }[] {
  if (namespaceInode(pid, 'net') === namespaceInode('self', 'net')) return [];
  using inside = quietly(() => openNetlinkIn(pid));
  if (inside === undefined) return [];
  const addresses = inside.dump(listAddresses(), decodeAddress);
  return inside
    .dump(listLinks(), decodeLink)
    .filter(link => link.kind === 'veth')
    .map(link => ({
      link,
      addresses: addresses.filter(each => each.link === link.index).map(each => each.address),
    }));
}
