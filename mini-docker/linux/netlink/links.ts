// Links (rtnetlink(7), struct ifinfomsg): requests that create and change them, and the kernel's descriptions
// of them.

import { AF } from '../constants.ts';
import {
  IFF,
  IFLA,
  IFLA_BRPORT,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO,
  IFLA_MACVLAN,
  IFLA_VLAN,
  IFLA_VXLAN,
  IN6_ADDR_GEN_MODE,
  NLM_F,
  RTM,
  VETH_INFO_PEER,
} from './constants.ts';
import { decodeMac, encodeIp, encodeMac } from './ip-address.ts';
import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  type Message,
  number,
  text,
  u8,
  u16,
  u16Network,
} from './message.ts';
import type { NetlinkSocket, Request } from './socket.ts';

/** A network namespace for a link: that of a process, or of an open /proc/PID/ns/net. */
export type NamespaceRef = { pid: number } | { fd: number };

export interface LinkSettings {
  /** Name of at most 15 bytes. */
  name?: string;
  mac?: string;
  mtu?: number | undefined;
  /** Index of the bridge that the link becomes a port of; 0 for none. */
  master?: number;
  up?: boolean;
  namespace?: NamespaceRef;
  /** A description that `ip link` shows, of at most 255 bytes. */
  alias?: string;
  /** False when the kernel shall not give the link an fe80:: address on its own. Has to be sent before `up`. */
  linkLocal?: boolean;
}

/**
 * Settings for a new link: without alias (the kernel ignores it) and linkLocal (it fails with EAFNOSUPPORT).
 */
type BirthSettings = Omit<LinkSettings, 'alias' | 'linkLocal'>;

export interface NewLink extends BirthSettings {
  name: string;
  kind: 'bridge' | 'veth' | 'vxlan' | 'dummy' | 'macvlan' | 'vlan';
  /** Index of the link below a macvlan or vlan. */
  lower?: number;
  /** For the kind vlan: its number, from 1 to 4094. */
  vlan?: number;
  /** For the kind macvlan: a MACVLAN_MODE. */
  macvlanMode?: number;
  /** For the kind vxlan. */
  vxlan?: Vxlan;
  /**
   * The other end of a veth, possibly in another namespace. It cannot be created up, since its peer does not
   * exist yet.
   */
  peer?: Omit<BirthSettings, 'up' | 'master'>;
}

/** A tunnel that carries Ethernet frames in UDP datagrams between hosts (RFC 7348). */
export interface Vxlan {
  /** VNI, the number of the network: 24 bits. */
  id: number;
  /** This host's own address in the network that the tunnel goes through. */
  local: string;
  port: number;
  /** False when only entries that a program has made say which host has an address (neighbours.ts). */
  learning: boolean;
  /** True when the link itself answers ARP requests, from its neighbour table. */
  proxy: boolean;
}

/** A link by its index or its name. */
export type LinkRef = number | string;

export interface Link {
  index: number;
  name: string;
  flags: number;
  up: boolean;
  /** Whether the link has a carrier: the other end of the cable is up. */
  running: boolean;
  /**
   * Whether the link carries packets: carrier and queues are up (RFC 2863). The kernel updates this some time
   * after `up`; since Linux 6.8, getLink() makes it update at once (linkwatch_sync_dev() in rtnl_getlink()).
   */
  operational: boolean;
  mac: string;
  mtu: number;
  /** 'veth', 'bridge', …; undefined for hardware and lo. */
  kind: string | undefined;
  master: number | undefined;
  /** Index of a veth's other end, in the namespace of that end. */
  peer: number | undefined;
  /** Id of the other end's namespace, as used in this namespace; undefined when both ends are in this one. */
  peerNamespace: number | undefined;
  alias: string | undefined;
  statistics: LinkStatistics;
}

/** struct rtnl_link_stats64 */
export interface LinkStatistics {
  rxPackets: number;
  txPackets: number;
  rxBytes: number;
  txBytes: number;
  rxErrors: number;
  txErrors: number;
  rxDropped: number;
  txDropped: number;
}

/** Index of lo, the first link of every namespace. */
export const LOOPBACK_INDEX = 1;

export function createLink(link: NewLink): Request {
  const data: Attribute[] = [];
  if (link.peer) {
    const peer = Buffer.concat([linkInfo(0, {}), encodeAttributes(settingsOf(link.peer))]);
    data.push([IFLA_INFO.DATA, [[VETH_INFO_PEER, peer]]]);
  }
  if (link.vlan !== undefined) data.push([IFLA_INFO.DATA, [[IFLA_VLAN.ID, u16(link.vlan)]]]);
  if (link.macvlanMode !== undefined) data.push([IFLA_INFO.DATA, [[IFLA_MACVLAN.MODE, link.macvlanMode]]]);
  if (link.vxlan) data.push([IFLA_INFO.DATA, vxlanData(link.vxlan)]);
  return {
    doing: `create link ${link.name} (${link.kind})`,
    type: RTM.NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat([
      linkInfo(0, link),
      encodeAttributes([
        ...settingsOf(link),
        [IFLA.LINK, link.lower],
        [IFLA.LINKINFO, [[IFLA_INFO.KIND, link.kind], ...data]],
      ]),
    ]),
  };
}

function vxlanData({ id, local, port, learning, proxy }: Vxlan): Attribute[] {
  return [
    [IFLA_VXLAN.ID, id],
    [local.includes(':') ? IFLA_VXLAN.LOCAL6 : IFLA_VXLAN.LOCAL, encodeIp(local)],
    [IFLA_VXLAN.PORT, u16Network(port)],
    [IFLA_VXLAN.LEARNING, u8(learning ? 1 : 0)],
    [IFLA_VXLAN.PROXY, u8(proxy ? 1 : 0)],
  ];
}

/** Request to change the given settings only. Where the link is given by index, `name` is its new name. */
export function setLink(link: LinkRef, settings: LinkSettings): Request {
  const { name, ...others } = settings;
  return {
    doing: `set link ${shown(link)} ${Object.keys(settings).join(', ')}`,
    // RTM_NEWLINK without CREATE can find a link by name, and is the one message type that accepts all
    // settings.
    type: RTM.NEWLINK,
    body: Buffer.concat([
      linkInfo(typeof link === 'number' ? link : 0, settings),
      encodeAttributes(settingsOf(typeof link === 'string' ? { ...others, name: link } : settings)),
    ]),
  };
}

/** Request to delete a link. The other end of a veth is deleted too, in whatever namespace it is. */
export function deleteLink(link: LinkRef): Request {
  return { doing: `delete link ${shown(link)}`, type: RTM.DELLINK, body: linkBody(link) };
}

/** Request to change settings of a bridge's port. */
export function setBridgePort(link: number, port: { hairpin?: boolean; isolated?: boolean }): Request {
  const bit = (on: boolean | undefined) => (on === undefined ? undefined : u8(on ? 1 : 0));
  const attributes: Attribute[] = [
    [IFLA_BRPORT.MODE, bit(port.hairpin)],
    [IFLA_BRPORT.ISOLATED, bit(port.isolated)],
  ];
  return {
    doing: `set bridge port ${link} ${Object.keys(port).join(', ')}`,
    type: RTM.SETLINK,
    body: Buffer.concat([linkInfo(link, {}, AF_BRIDGE), encodeAttributes([[IFLA.PROTINFO, attributes]])]),
  };
}

/** Request for one link, for NetlinkSocket.get() with decodeLink. */
export function getLink(link: LinkRef): Request {
  return { doing: `look up link ${shown(link)}`, type: RTM.GETLINK, body: linkBody(link) };
}

export function findLink(socket: NetlinkSocket, link: LinkRef): Link | undefined {
  return socket.get(getLink(link), decodeLink, { mayFail: ['ENODEV'] });
}

/** @throws NetlinkError when there is no such link */
export function requireLink(socket: NetlinkSocket, link: LinkRef): Link {
  return socket.get(getLink(link), decodeLink)!;
}

/** Deletes the link if it exists. */
export function removeLink(socket: NetlinkSocket, link: LinkRef): void {
  socket.request(deleteLink(link), { mayFail: ['ENODEV'] });
}

/** Request for all links, for NetlinkSocket.dump() with decodeLink. */
export function listLinks(): Request {
  return { doing: 'list links', type: RTM.GETLINK, body: linkInfo(0, {}) };
}

export function decodeLink(message: Message): Link {
  const body = Buffer.from(message.body);
  const attributes = decodeAttributes(body.subarray(IFINFOMSG_LENGTH));
  const info = decodeAttributes(attributes.get(IFLA.LINKINFO) ?? Buffer.alloc(0));
  const numberOf = (type: number): number | undefined => {
    const value = attributes.get(type);
    return value && number(value);
  };
  const textOf = (value: Buffer | undefined): string | undefined => value && text(value);
  const flags = body.readUInt32LE(8);
  return {
    index: body.readInt32LE(4),
    name: textOf(attributes.get(IFLA.IFNAME)) ?? '',
    flags,
    up: (flags & IFF.UP) !== 0,
    running: (flags & IFF.RUNNING) !== 0,
    operational: numberOf(IFLA.OPERSTATE) === IF_OPER_UP,
    mac: decodeMac(attributes.get(IFLA.ADDRESS) ?? Buffer.alloc(0)),
    mtu: numberOf(IFLA.MTU) ?? 0,
    kind: textOf(info.get(IFLA_INFO.KIND)),
    master: numberOf(IFLA.MASTER),
    peer: numberOf(IFLA.LINK),
    peerNamespace: numberOf(IFLA.LINK_NETNSID),
    alias: textOf(attributes.get(IFLA.IFALIAS)),
    statistics: decodeStatistics(attributes.get(IFLA.STATS64)),
  };
}

function decodeStatistics(bytes: Buffer = Buffer.alloc(64)): LinkStatistics {
  const field = (index: number): number => Number(bytes.readBigUInt64LE(index * 8));
  return {
    rxPackets: field(0),
    txPackets: field(1),
    rxBytes: field(2),
    txBytes: field(3),
    rxErrors: field(4),
    txErrors: field(5),
    rxDropped: field(6),
    txDropped: field(7),
  };
}

/** <sys/socket.h>: the family of requests about bridge ports */
const AF_BRIDGE = 7;
const IFINFOMSG_LENGTH = 16;
/** <linux/if.h> */
const IF_OPER_UP = 6;

/** struct ifinfomsg: u8 family, pad, u16 type, i32 index, u32 flags, u32 change. */
function linkInfo(index: number, settings: { up?: boolean }, family = 0): Buffer {
  const bytes = Buffer.alloc(IFINFOMSG_LENGTH);
  bytes.writeUInt8(family, 0);
  bytes.writeInt32LE(index, 4);
  if (settings.up !== undefined) {
    bytes.writeUInt32LE(settings.up ? IFF.UP : 0, 8);
    bytes.writeUInt32LE(IFF.UP, 12);
  }
  return bytes;
}

function linkBody(link: LinkRef): Buffer {
  if (typeof link === 'number') return linkInfo(link, {});
  return Buffer.concat([linkInfo(0, {}), encodeAttributes([[IFLA.IFNAME, link]])]);
}

function settingsOf(settings: LinkSettings): Attribute[] {
  const { name, mac, mtu, master, namespace, alias, linkLocal } = settings;
  const mode = u8(linkLocal ? IN6_ADDR_GEN_MODE.EUI64 : IN6_ADDR_GEN_MODE.NONE);
  return [
    [IFLA.IFNAME, name],
    [IFLA.ADDRESS, mac === undefined ? undefined : encodeMac(mac)],
    [IFLA.MTU, mtu],
    [IFLA.MASTER, master],
    [IFLA.IFALIAS, alias],
    [IFLA.NET_NS_PID, namespace && 'pid' in namespace ? namespace.pid : undefined],
    [IFLA.NET_NS_FD, namespace && 'fd' in namespace ? namespace.fd : undefined],
    [IFLA.AF_SPEC, linkLocal === undefined ? undefined : [[AF.INET6, [[IFLA_INET6_ADDR_GEN_MODE, mode]]]]],
  ];
}

function shown(link: LinkRef): string {
  return typeof link === 'number' ? `number ${link}` : link;
}
