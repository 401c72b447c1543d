// nf_tables over netlink (<linux/netfilter/nf_tables.h>), limited to the NAT rule in a container's namespace:
// starting nft(8) there would take ten times as long as the rest. Numbers are in network order here, unlike
// in rtnetlink.
import { NLM_F } from './constants.ts';
import { type Attribute, encodeAttributes } from './message.ts';
import type { Request } from './socket.ts';

const SUBSYSTEM = 10;
const NFT_MSG = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const;
const NFTA_TABLE = { NAME: 1 } as const;
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const;
const NFTA_RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const;
const NFTA_META = { DREG: 1, KEY: 2 } as const;
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const;
const NFTA_DATA_VALUE = 1;
const NFTA_NAT = { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3, REG_PROTO_MIN: 5 } as const;
const NFT_CMP_EQ = 0;
const NFNL_MSG_BATCH = { BEGIN: 16, END: 17 } as const;
/** <linux/netfilter.h> */
const NFPROTO_IPV4 = 2;
const NF_INET_LOCAL_OUT = 3;
const NF_ACCEPT = 1;
/** <linux/netfilter_ipv4.h> NF_IP_PRI_NAT_DST */
const PRIORITY_DNAT = -100;

/**
 * Requests that take effect together or not at all, for NetlinkSocket.batch() on a NETLINK.NETFILTER socket.
 */
export function transaction(requests: readonly Request[]): Request[] {
  const edge = (type: number, doing: string): Request => ({
    doing,
    type,
    body: head(0, SUBSYSTEM),
    silent: true,
  });
  return [
    edge(NFNL_MSG_BATCH.BEGIN, 'begin a transaction of nf_tables'),
    ...requests,
    edge(NFNL_MSG_BATCH.END, 'end it'),
  ];
}

/** Request for a new IPv4 table. It fails with EEXIST when the name is taken. */
export function addTable(table: string): Request {
  return request({
    doing: `add table ${table}`,
    type: NFT_MSG.NEWTABLE,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    attributes: [[NFTA_TABLE.NAME, table]],
  });
}

/**
 * Request to delete a table and its content. Closing the socket then takes 10 to 20 ms, until the table is
 * unused.
 */
export function deleteTable(table: string): Request {
  const attributes: Attribute[] = [[NFTA_TABLE.NAME, table]];
  return request({ doing: `delete table ${table}`, type: NFT_MSG.DELTABLE, attributes });
}

/** Request for a chain that can redirect the first packet of every connection from this namespace. */
export function addNatOutputChain(table: string, chain: string): Request {
  const hook: Attribute[] = [
    [NFTA_HOOK.HOOKNUM, be32(NF_INET_LOCAL_OUT)],
    [NFTA_HOOK.PRIORITY, be32(PRIORITY_DNAT)],
  ];
  return request({
    doing: `add chain ${chain} to table ${table}`,
    type: NFT_MSG.NEWCHAIN,
    flags: NLM_F.CREATE,
    attributes: [
      [NFTA_CHAIN.TABLE, table],
      [NFTA_CHAIN.NAME, chain],
      [NFTA_CHAIN.HOOK, hook],
      [NFTA_CHAIN.POLICY, be32(NF_ACCEPT)],
      [NFTA_CHAIN.TYPE, 'nat'],
    ],
  });
}

export interface Redirection {
  /** IPPROTO_TCP or IPPROTO_UDP. */
  protocol: number;
  /** IPv4 address, 4 bytes. */
  address: Uint8Array;
  port: number;
  /** New destination port, at the same address. */
  toPort: number;
}

/** `ip daddr ADDRESS PROTOCOL dport PORT dnat to ADDRESS:TOPORT` */
export function addRedirection(
  table: string,
  chain: string,
  { protocol, address, port, toPort }: Redirection,
): Request {
  const rule: Attribute[] = [
    ...equals(payload(NETWORK_HEADER, DESTINATION_ADDRESS), address),
    ...equals(L4_PROTOCOL, Uint8Array.of(protocol)),
    ...equals(payload(TRANSPORT_HEADER, DESTINATION_PORT), be16(port)),
    immediate(REGISTER_1, address),
    immediate(REGISTER_2, be16(toPort)),
    expression('nat', [
      [NFTA_NAT.TYPE, be32(NFT_NAT_DNAT)],
      [NFTA_NAT.FAMILY, be32(NFPROTO_IPV4)],
      [NFTA_NAT.REG_ADDR_MIN, be32(REGISTER_1)],
      [NFTA_NAT.REG_PROTO_MIN, be32(REGISTER_2)],
    ]),
  ];
  return request({
    doing: `add a rule to chain ${chain} of table ${table}`,
    type: NFT_MSG.NEWRULE,
    flags: NLM_F.CREATE | NLM_F.APPEND,
    attributes: [
      [NFTA_RULE.TABLE, table],
      [NFTA_RULE.CHAIN, chain],
      [NFTA_RULE.EXPRESSIONS, rule],
    ],
  });
}

const REGISTER_1 = 1;
const REGISTER_2 = 2;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
/** Positions of the fields in their headers, in bytes (RFC 791, RFC 768, RFC 9293). */
const DESTINATION_ADDRESS = { offset: 16, length: 4 };
const DESTINATION_PORT = { offset: 2, length: 2 };
const NFT_META_L4PROTO = 16;
const NFT_NAT_DNAT = 1;

function expression(name: string, data: readonly Attribute[]): Attribute {
  return [
    NFTA_LIST_ELEM,
    [
      [NFTA_EXPR.NAME, name],
      [NFTA_EXPR.DATA, data],
    ],
  ];
}

/** Expression that loads a field of a header into register 1. */
function payload(base: number, { offset, length }: { offset: number; length: number }): Attribute {
  return expression('payload', [
    [NFTA_PAYLOAD.DREG, be32(REGISTER_1)],
    [NFTA_PAYLOAD.BASE, be32(base)],
    [NFTA_PAYLOAD.OFFSET, be32(offset)],
    [NFTA_PAYLOAD.LEN, be32(length)],
  ]);
}

const L4_PROTOCOL = expression('meta', [
  [NFTA_META.DREG, be32(REGISTER_1)],
  [NFTA_META.KEY, be32(NFT_META_L4PROTO)],
]);

/** Expressions that match when `load` puts `value` into register 1. */
function equals(load: Attribute, value: Uint8Array): Attribute[] {
  const compare = expression('cmp', [
    [NFTA_CMP.SREG, be32(REGISTER_1)],
    [NFTA_CMP.OP, be32(NFT_CMP_EQ)],
    [NFTA_CMP.DATA, [[NFTA_DATA_VALUE, value]]],
  ]);
  return [load, compare];
}

function immediate(register: number, value: Uint8Array): Attribute {
  return expression('immediate', [
    [NFTA_IMMEDIATE.DREG, be32(register)],
    [NFTA_IMMEDIATE.DATA, [[NFTA_DATA_VALUE, value]]],
  ]);
}

function request(given: {
  doing: string;
  type: number;
  flags?: number;
  attributes: readonly Attribute[];
}): Request {
  const { doing, type, flags = 0, attributes } = given;
  const body = Buffer.concat([head(NFPROTO_IPV4, 0), encodeAttributes(attributes)]);
  return { doing, type: (SUBSYSTEM << 8) | type, flags, body };
}

/** struct nfgenmsg: u8 family, u8 version, u16 resource id. */
function head(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff]);
}

function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function be16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
