// The driver macvlan: a container's eth0 shares a link of the host, the parent, under a MAC address of its own. To the
// network behind the parent it looks like one more machine. The kernel passes nothing between it and the host itself.

import { badParameter, conflict, forbidden } from '../formats/errors.ts';
import { lookup } from '../formats/lookup.ts';
import { MACVLAN_MODE } from '../linux/netlink/constants.ts';
import { createLink, findLink, type Link, removeLink, requireLink, setLink } from '../linux/netlink/links.ts';
import { NetlinkError } from '../linux/netlink/netlink-error.ts';
import { type NetlinkSocket, openNetlink } from '../linux/netlink/socket.ts';
import { inNetworkNamespace } from '../linux/network-namespace.ts';
import { bringUpInside, type InsideOptions, withoutLinkLocal } from './cable.ts';
import type { NetworkRecord } from './record.ts';

export const isMacvlan = ({ resource }: NetworkRecord): boolean => resource.Driver === 'macvlan';

/** Name of the parent: what the user named, or a link that is made for the network and leads nowhere. */
export const parentOf = ({ resource }: NetworkRecord): string =>
  resource.Options.parent || `dm-${resource.Id.slice(0, 12)}`;

const MODES: Readonly<Record<string, number>> = {
  bridge: MACVLAN_MODE.BRIDGE,
  private: MACVLAN_MODE.PRIVATE,
  vepa: MACVLAN_MODE.VEPA,
  passthru: MACVLAN_MODE.PASSTHRU,
};

const modeOf = ({ resource }: NetworkRecord): number => MODES[resource.Options.macvlan_mode || 'bridge']!;

/** @throws badParameter, forbidden, in docker's words */
export function checkMacvlan(record: NetworkRecord, others: readonly NetworkRecord[]): void {
  const { parent = '', macvlan_mode: mode = '' } = record.resource.Options;
  if (mode !== '' && lookup(MODES, mode) === undefined)
    throw badParameter(
      `requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`,
    );
  if (parent === 'lo') throw badParameter('loopback interface is not a valid macvlan parent link');
  const user = others.find(each => isMacvlan(each) && parentOf(each) === parentOf(record));
  if (user)
    throw forbidden(`network ${user.resource.Name} is already using parent interface ${parentOf(record)}`);
}

/** By this name in `ip link`, a link that was made for a network is told from one that the user had. */
const aliasOf = ({ resource }: NetworkRecord): string => `mini-docker network ${resource.Id}`;

/** The parent, if it was made for the network. */
export function ownParent(host: NetlinkSocket, record: NetworkRecord): Link | undefined {
  const link = findLink(host, parentOf(record));
  return link?.alias === aliasOf(record) ? link : undefined;
}

/**
 * Makes the parent if it is missing: `eth0.10` is a VLAN of eth0; without a name it is a bridge without ports.
 * @returns its index
 * @throws badParameter when there is no such link
 */
export function ensureParent(host: NetlinkSocket, record: NetworkRecord): number {
  const name = parentOf(record);
  const found = findLink(host, name);
  if (found) return found.index;
  if (record.resource.Options.parent) makeVlan(host, name);
  else host.request(createLink({ name, kind: 'bridge' }));
  const { index } = requireLink(host, name);
  host.request(setLink(index, { alias: aliasOf(record) }));
  withoutLinkLocal(host, index);
  host.request(setLink(index, { up: true }));
  return index;
}

function makeVlan(host: NetlinkSocket, name: string): void {
  const [, base, text] = /^(.+)\.(\d{1,5})$/.exec(name) ?? [];
  if (base === undefined)
    throw badParameter(
      `invalid subinterface vlan name ${name}, example formatting is eth0.10: there is no link ${name} on the host, and it is no VLAN of one`,
    );
  const vlan = Number(text);
  if (vlan < 1 || vlan > 4094) throw badParameter(`vlan id must be between 1-4094, received: ${vlan}`);
  const parent = findLink(host, base);
  if (!parent) throw badParameter(`the parent interface was not found on the host: ${base}`);
  host.request(createLink({ name, kind: 'vlan', lower: parent.index, vlan }));
}

/** Removes the parent, if it was made for the network. */
export function removeParent(host: NetlinkSocket, record: NetworkRecord): void {
  const own = ownParent(host, record);
  if (own) removeLink(host, own.index);
}

/** Gives the container its share of the parent, and brings it up. On failure nothing is left. */
export function plugIntoParent(options: {
  host: NetlinkSocket;
  record: NetworkRecord;
  /** Index of the parent. */
  parent: number;
  mac: string;
  mtu: number | undefined;
  inside: InsideOptions;
}): void {
  const { host, record, parent, mac, mtu, inside } = options;
  const name = inside.interface;
  try {
    host.request(
      createLink({
        name,
        kind: 'macvlan',
        lower: parent,
        macvlanMode: modeOf(record),
        mac,
        mtu,
        namespace: { fd: inside.namespace },
      }),
    );
  } catch (cause) {
    if (!(cause instanceof NetlinkError && ['EBUSY', 'EINVAL'].includes(cause.code))) throw cause;
    const message = `${parentOf(record)} cannot be shared by a container of network ${record.resource.Name}: it is a port of a bridge, carries no Ethernet, or is taken by another container (passthru) or network`;
    throw conflict(message, { cause });
  }
  try {
    bringUpInside(inside);
  } catch (error) {
    using socket = inNetworkNamespace(inside.namespace, () => openNetlink());
    removeLink(socket, name);
    throw error;
  }
}
