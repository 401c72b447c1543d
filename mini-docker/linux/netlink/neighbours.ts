// Who is where (rtnetlink(7), struct ndmsg): neighbours (which MAC address has an IP address, arp(7)) and the
// forwarding entries of a VXLAN link (which host has a MAC address). The kernel keeps both in the same format.
import { AF } from '../constants.ts';
import { NDA, NLM_F, NTF, NUD, RTM } from './constants.ts';
import { decodeIp, decodeMac, encodeIp, encodeMac, familyOf } from './ip-address.ts';
import { decodeAttributes, encodeAttributes, type Message, u16Network } from './message.ts';
import type { Request } from './socket.ts';

export interface Neighbour {
  /** Index of the link. */
  link: number;
  address: string;
  mac: string;
}

export interface Forwarding {
  /** Index of the VXLAN link. */
  link: number;
  /** Of one receiver: an entry for all (zeros) cannot be replaced, and the kernel refuses it with EOPNOTSUPP. */
  mac: string;
  /** IP address of the host. */
  host: string;
  /** UDP port, if it is not that of the link. */
  port?: number;
}

/** Request to add a neighbour that never expires, or to change its MAC address. */
export function addNeighbour({ link, address, mac }: Neighbour): Request {
  return {
    doing: `say that ${address} is ${mac}`,
    type: RTM.NEWNEIGH,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: Buffer.concat([
      ndmsg(familyOf(address), link, { state: NUD.PERMANENT }),
      encodeAttributes([
        [NDA.DST, encodeIp(address)],
        [NDA.LLADDR, encodeMac(mac)],
      ]),
    ]),
  };
}

export function deleteNeighbour({ link, address }: Omit<Neighbour, 'mac'>): Request {
  return {
    doing: `delete the neighbour ${address}`,
    type: RTM.DELNEIGH,
    body: Buffer.concat([ndmsg(familyOf(address), link), encodeAttributes([[NDA.DST, encodeIp(address)]])]),
  };
}

/** Request to add a forwarding entry that never expires, or to change the host of a MAC address. */
export function addForwarding(entry: Forwarding): Request {
  return {
    doing: `say that ${entry.mac} is on ${entry.host}`,
    type: RTM.NEWNEIGH,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: encodeForwarding(entry),
  };
}

/** An entry with another host or port stays: the kernel then reports success. */
export function deleteForwarding(entry: Forwarding): Request {
  return {
    doing: `delete that ${entry.mac} is on ${entry.host}`,
    type: RTM.DELNEIGH,
    body: encodeForwarding(entry),
  };
}

/** Request for the neighbours of all links in one family (IPv4), for NetlinkSocket.dump() with decodeNeighbour. */
export function listNeighbours(family: typeof AF.INET | typeof AF.INET6 = AF.INET): Request {
  return { doing: 'list neighbours', type: RTM.GETNEIGH, body: ndmsg(family, 0) };
}

/** Request for the forwarding entries of all links, for NetlinkSocket.dump() with decodeForwarding. */
export function listForwarding(): Request {
  return { doing: 'list forwarding entries', type: RTM.GETNEIGH, body: ndmsg(AF_BRIDGE, 0) };
}

/** @returns the neighbour; its MAC address is empty while the kernel still asks for it */
export function decodeNeighbour(message: Message): Neighbour {
  const { link, mac, destination } = decode(message);
  return { link, address: destination ?? '', mac };
}

/** @returns the entry; its host is empty if the address is not behind a tunnel */
export function decodeForwarding(message: Message): Forwarding {
  const { link, mac, destination, port } = decode(message);
  return { link, mac, host: destination ?? '', ...(port !== undefined && { port }) };
}

function decode(message: Message): {
  link: number;
  mac: string;
  destination: string | undefined;
  port: number | undefined;
} {
  const body = Buffer.from(message.body);
  const attributes = decodeAttributes(body.subarray(NDMSG_LENGTH));
  const destination = attributes.get(NDA.DST);
  return {
    link: body.readInt32LE(4),
    mac: decodeMac(attributes.get(NDA.LLADDR) ?? Buffer.alloc(0)),
    destination: destination && decodeIp(destination),
    port: attributes.get(NDA.PORT)?.readUInt16BE(0),
  };
}

/** <sys/socket.h>: the family of forwarding entries */
const AF_BRIDGE = 7;
const NDMSG_LENGTH = 12;

/** struct ndmsg: u8 family, pad, u16 pad, i32 index, u16 state, u8 flags, u8 type. */
function ndmsg(family: number, link: number, { state = 0, flags = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(NDMSG_LENGTH);
  bytes.writeUInt8(family, 0);
  bytes.writeInt32LE(link, 4);
  bytes.writeUInt16LE(state, 8);
  bytes.writeUInt8(flags, 10);
  return bytes;
}

/** SELF: the link's own table, and not that of the bridge that it is a port of. */
function encodeForwarding({ link, mac, host, port }: Forwarding): Buffer {
  return Buffer.concat([
    ndmsg(AF_BRIDGE, link, { state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF }),
    encodeAttributes([
      [NDA.LLADDR, encodeMac(mac)],
      [NDA.DST, encodeIp(host)],
      [NDA.PORT, port === undefined ? undefined : u16Network(port)],
    ]),
  ]);
}
