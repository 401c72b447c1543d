// Addresses of links (rtnetlink(7), struct ifaddrmsg).
import { IFA, IFA_F, NLM_F, RTM } from './constants.ts';
import { decodeIp, encodeIp, familyOf } from './ip-address.ts';
import { type Attribute, decodeAttributes, encodeAttributes, type Message, number } from './message.ts';
import type { Request } from './socket.ts';

export interface Address {
  /** Index of the link. */
  link: number;
  address: string;
  prefixLength: number;
  /** IPv4 only. */
  broadcast?: string;
}

export interface KernelAddress extends Address {
  /** RT_SCOPE */
  scope: number;
  /** IFA_F: TENTATIVE while IPv6 checks whether another host uses the address. */
  flags: number;
}

/** IPv6 addresses are usable at once, without duplicate detection, since mini-docker assigns all of them. */
export function addAddress(address: Address): Request {
  const v6 = address.address.includes(':');
  const extra: Attribute[] = [
    [IFA.FLAGS, v6 ? IFA_F.NODAD : undefined],
    [IFA.BROADCAST, address.broadcast === undefined ? undefined : encodeIp(address.broadcast)],
  ];
  return {
    doing: `give link ${address.link} the address ${address.address}/${address.prefixLength}`,
    type: RTM.NEWADDR,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: encodeAddress(address, extra),
  };
}

/** Request for the addresses of all links, for NetlinkSocket.dump() with decodeAddress. */
export function listAddresses(): Request {
  return { doing: 'list addresses', type: RTM.GETADDR, body: Buffer.alloc(IFADDRMSG_LENGTH) };
}

export function decodeAddress(message: Message): KernelAddress {
  const body = Buffer.from(message.body);
  const attributes = decodeAttributes(body.subarray(IFADDRMSG_LENGTH));
  const flags = attributes.get(IFA.FLAGS);
  // On a point-to-point link IFA_ADDRESS is the address of the other end, and IFA_LOCAL, where present, is
  // ours.
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS) ?? Buffer.alloc(4);
  const broadcast = attributes.get(IFA.BROADCAST);
  return {
    link: body.readUInt32LE(4),
    address: decodeIp(bytes),
    prefixLength: body.readUInt8(1),
    ...(broadcast && { broadcast: decodeIp(broadcast) }),
    scope: body.readUInt8(3),
    flags: flags ? number(flags) : body.readUInt8(2),
  };
}

const IFADDRMSG_LENGTH = 8;

/** struct ifaddrmsg: u8 family, u8 prefixlen, u8 flags, u8 scope, u32 index. */
function encodeAddress(address: Address, extra: readonly Attribute[]): Buffer {
  const head = Buffer.alloc(IFADDRMSG_LENGTH);
  head.writeUInt8(familyOf(address.address), 0);
  head.writeUInt8(address.prefixLength, 1);
  head.writeUInt32LE(address.link, 4);
  const bytes = encodeIp(address.address);
  return Buffer.concat([head, encodeAttributes([[IFA.LOCAL, bytes], [IFA.ADDRESS, bytes], ...extra])]);
}
