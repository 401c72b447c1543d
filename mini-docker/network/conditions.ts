// Makes a container's network worse on purpose: delay, loss, a lower rate. Everything is in the kernel and nowhere
// else, at the two ends of the container's cable, so it survives the daemon and ends with the container.

import { isIP } from 'node:net';
import { badParameter, conflict, notImplemented } from '../formats/errors.ts';
import { decodeCondition, encodeCondition, type ShownCondition } from '../formats/network-conditions.ts';
import { TC_H_ROOT } from '../linux/netlink/constants.ts';
import { decodeIp, encodeIp } from '../linux/netlink/ip-address.ts';
import { findLink, type Link, requireLink } from '../linux/netlink/links.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { openNetlinkIn } from '../linux/netlink/netlink-in.ts';
import { type Impairment, impair, impairmentOf } from '../linux/netlink/packet-queues.ts';
import {
  type AddressFilter,
  addAddressFilter,
  addClass,
  addQueueing,
  decodeAddressFilter,
  decodeQueueing,
  deleteQueueing,
  htbOptions,
  listFilters,
  listQueueing,
} from '../linux/netlink/queueing.ts';
import type { NetlinkSocket, Request } from '../linux/netlink/socket.ts';
import { openNamespaceOf } from './attachments.ts';
import type { ConditionTarget, Networks } from './network.ts';
import type { Parts } from './parts.ts';
import type { ContainerRecord, EndpointRecord } from './record.ts';

/** What happens to the packets of a link. */
interface Entry {
  /** Addresses at the other end; [] for all packets that no other entry is for. */
  to: string[];
  impairment: Impairment;
}

export function conditions(
  parts: Parts,
): Pick<Networks, 'setCondition' | 'showConditions' | 'clearConditions'> {
  const { host, attachments } = parts;
  return {
    async setCondition({ target, to, condition }) {
      const impairment = decodeCondition(condition);
      for (const cable of cablesOf(parts, target)) {
        const addresses = to === undefined ? [] : addressesOf(parts, cable.endpoint, to);
        if (addresses === undefined) continue;
        const entry = { to: addresses, impairment };
        change(host, cable, entries => [
          ...entries.filter(each => each.to.join() !== entry.to.join()),
          entry,
        ]);
      }
    },
    async showConditions(target) {
      return cablesOf(parts, target).flatMap(({ record, endpoint }) => {
        const link = requireLink(host, endpoint.link);
        return readEntries(host, link).map(
          ({ to, impairment }): ShownCondition => ({
            container: record.containerName,
            network: endpoint.networkName,
            interface: endpoint.interface,
            to: to.map(address => named(attachments.containers.values(), address)),
            ...encodeCondition(impairment),
          }),
        );
      });
    },
    async clearConditions(target) {
      for (const cable of cablesOf(parts, target)) change(host, cable, () => []);
    },
  };
}

interface CableOf {
  record: ContainerRecord;
  endpoint: EndpointRecord;
}

/** The connections of a container or a network, or all. @throws conflict when it has none that can be impaired */
function cablesOf({ catalog, attachments, host }: Parts, target: ConditionTarget | undefined): CableOf[] {
  const networkId =
    target !== undefined && 'network' in target ? catalog.find(target.network).record.resource.Id : undefined;
  const found = [...attachments.containers.values()]
    .filter(
      each => target === undefined || !('containerId' in target) || each.containerId === target.containerId,
    )
    .flatMap(record => record.endpoints.map(endpoint => ({ record, endpoint })))
    .filter(
      ({ endpoint }) => endpoint.link !== '' && (networkId === undefined || endpoint.networkId === networkId),
    );
  // A record outlives the cable for a moment.
  const isThere = ({ endpoint }: CableOf) => findLink(host, endpoint.link) !== undefined;
  const there = found.filter(isThere);
  if (there.length > 0 || target === undefined) return there;
  throw conflict(
    'network' in target
      ? `no running container is on network ${target.network}: conditions are set on containers' cables`
      : `container ${target.name} has no cable of its own: it is not running, or shares another's network, or is on a network of the driver host, null or macvlan`,
  );
}

/** undefined for a container that cannot be reached through this network. @throws notFound, badParameter */
function addressesOf(
  parts: Parts,
  endpoint: EndpointRecord,
  to: string | ConditionTarget,
): string[] | undefined {
  if (typeof to === 'string') {
    if (isIP(to) === 0) throw badParameter(`${to} is neither a container of this host nor an address`);
    return [decodeIp(encodeIp(to))];
  }
  const shared = cablesOf(parts, to)
    .map(each => each.endpoint)
    .filter(each => each.networkId === endpoint.networkId && each.endpointId !== endpoint.endpointId)
    .flatMap(each => [each.ipAddress, each.ipv6Address])
    .filter(Boolean);
  return shared.length === 0 ? undefined : shared;
}

function named(containers: Iterable<ContainerRecord>, address: string): string {
  for (const { containerName, endpoints } of containers)
    if (endpoints.some(each => [each.ipAddress, each.ipv6Address].includes(address)))
      return `${containerName} (${address})`;
  return address;
}

/**
 * The host's end of the cable has everything, for packets to the container. Each packet and its answer so meet a delay
 * or a loss once. A rate holds in both directions, so the container's end has it, too.
 */
function change(
  host: NetlinkSocket,
  { record, endpoint }: CableOf,
  changed: (entries: readonly Entry[]) => readonly Entry[],
): void {
  const link = requireLink(host, endpoint.link);
  const before = readEntries(host, link);
  const after = changed(before);
  using inside = openNetlinkIn(record.pid, () => openNamespaceOf(record.pid));
  const end = requireLink(inside, endpoint.interface);
  const write = (entries: readonly Entry[]): void => {
    writeEntries({ socket: host, link, entries, field: 'source' });
    writeEntries({ socket: inside, link: end, entries: entries.flatMap(rateOnly), field: 'destination' });
  };
  try {
    write(after);
  } catch (error) {
    // What was there before was possible: nothing is lost.
    write(before);
    throw explained(error);
  }
}

const rateOnly = ({ to, impairment: { rate } }: Entry): Entry[] =>
  rate === undefined ? [] : [{ to, impairment: { rate } }];

/** Major number of our disciplines ('md'), by which they are told from those of others. */
const ROOT = 0x6d64_0000;
const classOf = (minor: number): number => ROOT + minor;
const leafOf = (minor: number): number => ROOT + minor * 0x1_0000;

function writeEntries(given: {
  socket: NetlinkSocket;
  link: Link;
  entries: readonly Entry[];
  field: AddressFilter['field'];
}): void {
  const { socket, entries, field } = given;
  const { index: link, mtu } = given.link;
  socket.request(deleteQueueing({ link, handle: 0, parent: TC_H_ROOT }), { mayFail: ['ENOENT', 'EINVAL'] });
  const [first] = entries;
  if (first === undefined) return;
  if (entries.length === 1 && first.to.length === 0) {
    socket.request(addQueueing({ link, handle: ROOT, parent: TC_H_ROOT, ...impair(first.impairment, mtu) }));
    return;
  }
  const rest = entries.findIndex(each => each.to.length === 0) + 1;
  socket.batch([
    addQueueing({ link, handle: ROOT, parent: TC_H_ROOT, kind: 'htb', options: htbOptions(rest) }),
    ...entries.flatMap(({ to, impairment }, index): Request[] => {
      const classId = classOf(index + 1);
      return [
        addClass({ link, handle: classId, parent: ROOT }),
        addQueueing({ link, handle: leafOf(index + 1), parent: classId, ...impair(impairment, mtu) }),
        ...to.map(address => addAddressFilter({ link, parent: ROOT, classId, address, field })),
      ];
    }),
  ]);
}

function readEntries(socket: NetlinkSocket, { index: link }: Link): Entry[] {
  const queueings = socket.dump(listQueueing(), decodeQueueing).filter(each => each.link === link);
  const root = queueings.find(each => each.handle === ROOT);
  if (root === undefined) return [];
  const impairment = impairmentOf(root);
  if (impairment !== undefined) return [{ to: [], impairment }];
  const filters = socket.dump(listFilters(link, ROOT), decodeAddressFilter);
  return queueings.flatMap(each => {
    const found = each === root ? undefined : impairmentOf(each);
    if (found === undefined) return [];
    const to = filters.flatMap(filter => (filter?.classId === each.parent ? filter.address : []));
    return [{ to, impairment: found }];
  });
}

/** The kernel has each discipline in a module, which it loads itself where it is installed. */
function explained(cause: unknown): unknown {
  if (!(cause instanceof NetlinkError && cause.code === 'ENOENT')) return cause;
  const kind = /queueing discipline (\w+)/.exec(cause.message)?.[1];
  const name = kind === undefined ? 'cls_u32' : `sch_${kind}`;
  const option = `CONFIG_NET_${name.toUpperCase()}`;
  const instead = kind === 'netem' ? '; --rate alone does without it' : '';
  return notImplemented(
    `this kernel has no ${name}, which the condition needs: load it with 'modprobe ${name}', install the package with the kernel's further modules, or use a kernel built with ${option}${instead}`,
    { cause },
  );
}
