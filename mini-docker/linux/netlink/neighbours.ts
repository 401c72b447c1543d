// Neighbours: who has which address on a link (rtnetlink(7), struct ndmsg).
import { NDA, NLM_F, NUD, RTM } from './constants.ts';
import { decodeIp, decodeMac, encodeIp, encodeMac, familyOf } from './ip-address.ts';
import { decodeAttributes, encodeAttributes, type Message } from './message.ts';
import type { Request } from './socket.ts';

export interface Neighbour {
  /** Index of the link. */
  link: number;
  address: string;
  mac: string;
}

export interface KernelNeighbour extends Neighbour {
  /** NUD */
  state: number;
}

/** Says for good who has the address, so that nobody has to ask. Replaces what was known. */
export function setNeighbour(neighbour: Neighbour): Request {
  return {
    doing: `tell link ${neighbour.link} that ${neighbour.address} is at ${neighbour.mac}`,
    type: RTM.NEWNEIGH,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: Buffer.concat([
      neighbourInfo(neighbour, NUD.PERMANENT),
      encodeAttributes([
        [NDA.DST, encodeIp(neighbour.address)],
        [NDA.LLADDR, encodeMac(neighbour.mac)],
      ]),
    ]),
  };
}

export function deleteNeighbour(neighbour: Omit<Neighbour, 'mac'>): Request {
  return {
    doing: `forget who has ${neighbour.address} on link ${neighbour.link}`,
    type: RTM.DELNEIGH,
    flags: 0,
    body: Buffer.concat([
      neighbourInfo(neighbour, 0),
      encodeAttributes([[NDA.DST, encodeIp(neighbour.address)]]),
    ]),
  };
}

/** For NetlinkSocket.dump() with decodeNeighbour. */
export function listNeighbours(): Request {
  return { doing: 'list neighbours', type: RTM.GETNEIGH, flags: 0, body: Buffer.alloc(NDMSG_LENGTH) };
}

export function decodeNeighbour(message: Message): KernelNeighbour {
  const body = Buffer.from(message.body);
  const attributes = decodeAttributes(body.subarray(NDMSG_LENGTH));
  return {
    link: body.readInt32LE(4),
    state: body.readUInt16LE(8),
    address: decodeIp(attributes.get(NDA.DST) ?? Buffer.alloc(4)),
    mac: decodeMac(attributes.get(NDA.LLADDR) ?? Buffer.alloc(0)),
  };
}

const NDMSG_LENGTH = 12;

/** struct ndmsg: u8 family, 3 pads, i32 index, u16 state, u8 flags, u8 type. */
function neighbourInfo({ link, address }: { link: number; address: string }, state: number): Buffer {
  const bytes = Buffer.alloc(NDMSG_LENGTH);
  bytes.writeUInt8(familyOf(address), 0);
  bytes.writeInt32LE(link, 4);
  bytes.writeUInt16LE(state, 8);
  return bytes;
}
