// The kernel's table of connections, which includes NAT decisions (<linux/netfilter/nfnetlink_conntrack.h>).
import { AF } from '../constants.ts';
import { NLA_F } from './constants.ts';
import { decodeIp, familyOf } from './ip-address.ts';
import { type Attribute, decodeAttributes, encodeAttributes, type Message, u8, u32 } from './message.ts';
import type { Request } from './socket.ts';

const SUBSYSTEM = 1;
const IPCTNL_MSG_CT = { GET: 1, DELETE: 2 } as const;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, FILTER: 25 } as const;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const CTA_PROTO = { NUM: 1, DST_PORT: 3 } as const;
const CTA_FILTER = { ORIG_FLAGS: 1 } as const;
/** net/netfilter/nf_internals.h: bits of CTA_FILTER_ORIG_FLAGS */
const FILTER_FLAG = { PROTO_NUM: 1 << 3, PROTO_DST_PORT: 1 << 5 } as const;

export interface Flow {
  /** Addresses and ports of the first packet, as it was sent. */
  original: Direction;
  /** Addresses and ports of answers: without NAT, the original reversed. */
  reply: Direction;
  /** Bytes that identify the flow in a request to delete it. */
  identity: Uint8Array;
}

export interface Direction {
  source: string;
  destination: string;
  protocol: number;
  destinationPort: number;
}

/**
 * Request for the flows to a port at any address, for NetlinkSocket.dump() with decodeFlow. Before Linux 5.8:
 * all flows.
 */
export function listFlows(to: { protocol: number; port: number; family: 4 | 6 }): Request {
  const { protocol, port, family } = to;
  const wanted: Attribute[] = [
    [CTA_PROTO.NUM, u8(protocol)],
    [CTA_PROTO.DST_PORT, Buffer.from([port >> 8, port & 0xff])],
  ];
  return {
    doing: 'list connections',
    type: (SUBSYSTEM << 8) | IPCTNL_MSG_CT.GET,
    body: Buffer.concat([
      head(family === 4 ? AF.INET : AF.INET6),
      encodeAttributes([
        [CTA.TUPLE_ORIG, [[CTA_TUPLE.PROTO, wanted]]],
        [CTA.FILTER, [[CTA_FILTER.ORIG_FLAGS, u32(FILTER_FLAG.PROTO_NUM | FILTER_FLAG.PROTO_DST_PORT)]]],
      ]),
    ]),
  };
}

/** Request to delete a flow: its next packet then counts as the first one of a connection. */
export function deleteFlow({ original, identity }: Flow): Request {
  const { source, destination, destinationPort } = original;
  return {
    doing: `forget the connection of ${source} with ${destination} port ${destinationPort}`,
    type: (SUBSYSTEM << 8) | IPCTNL_MSG_CT.DELETE,
    body: Buffer.concat([head(familyOf(source)), identity]),
  };
}

export function decodeFlow(message: Message): Flow {
  const attributes = decodeAttributes(Buffer.from(message.body).subarray(HEAD_LENGTH));
  const original = attributes.get(CTA.TUPLE_ORIG)!;
  const id = attributes.get(CTA.ID);
  return {
    original: decodeDirection(original),
    reply: decodeDirection(attributes.get(CTA.TUPLE_REPLY)!),
    identity: encodeAttributes([
      [CTA.TUPLE_ORIG | NLA_F.NESTED, original],
      ...(id ? [[CTA.ID, id] as const] : []),
    ]),
  };
}

function decodeDirection(bytes: Uint8Array): Direction {
  const tuple = decodeAttributes(bytes);
  const addresses = decodeAttributes(tuple.get(CTA_TUPLE.IP)!);
  const protocol = decodeAttributes(tuple.get(CTA_TUPLE.PROTO)!);
  return {
    source: decodeIp(addresses.get(CTA_IP.V4_SRC) ?? addresses.get(CTA_IP.V6_SRC)!),
    destination: decodeIp(addresses.get(CTA_IP.V4_DST) ?? addresses.get(CTA_IP.V6_DST)!),
    protocol: protocol.get(CTA_PROTO.NUM)?.[0] ?? 0,
    destinationPort: protocol.get(CTA_PROTO.DST_PORT)?.readUInt16BE() ?? 0,
  };
}

const HEAD_LENGTH = 4;

/** struct nfgenmsg: u8 family, u8 version, u16 resource id. */
function head(family: number): Buffer {
  return Buffer.from([family, 0, 0, 0]);
}
