// Queueing disciplines (tc(8), struct tcmsg): what a link does with packets before it sends them. A discipline with
// classes (htb) sorts packets by filters (u32), and each class has a discipline of its own.
import { isIPv4 } from 'node:net';
import { ETH_P, NLM_F, RTM, TC_U32_TERMINAL, TCA, TCA_HTB, TCA_U32 } from './constants.ts';
import { decodeIp, encodeIp } from './ip-address.ts';
import { type Attribute, decodeAttributes, encodeAttributes, type Message, number, text } from './message.ts';
import { rateSpec, ticks } from './packet-queues.ts';
import type { Request } from './socket.ts';

/** Where a discipline, class or filter is: handles have a major number in the upper 16 bits and a minor one below. */
interface Place {
  /** Index of the link. */
  link: number;
  handle: number;
  /** TC_H_ROOT for the first one; else the class, or for a class and a filter the discipline. */
  parent: number;
}

export interface Queueing extends Place {
  /** 'netem', 'tbf', 'htb', …: the kernel's module is sch_KIND. */
  kind: string;
  /** The content of TCA_OPTIONS, which depends on the kind. */
  options: Uint8Array;
}

/** Request for a new discipline. It fails with ENOENT when the kernel does not have the kind. */
export function addQueueing(queueing: Queueing): Request {
  const { kind, options } = queueing;
  return {
    doing: `add the queueing discipline ${kind}`,
    type: RTM.NEWQDISC,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: body(queueing, [
      [TCA.KIND, kind],
      [TCA.OPTIONS, options],
    ]),
  };
}

/** Request to delete a discipline with all below it. It fails with ENOENT or EINVAL when there is none but the default. */
export function deleteQueueing(place: Place): Request {
  return {
    doing: `delete the queueing discipline of link ${place.link}`,
    type: RTM.DELQDISC,
    body: body(place, []),
  };
}

/** Request for the disciplines of all links, for NetlinkSocket.dump() with decodeQueueing. */
export const listQueueing = (): Request => ({
  doing: 'list queueing disciplines',
  type: RTM.GETQDISC,
  body: body({ link: 0, handle: 0, parent: 0 }, []),
});

export function decodeQueueing(message: Message): Queueing {
  const attributes = decodeAttributes(message.body.subarray(TCMSG_LENGTH));
  return {
    ...placeOf(message),
    kind: text(attributes.get(TCA.KIND) ?? Buffer.alloc(0)),
    options: attributes.get(TCA.OPTIONS) ?? Buffer.alloc(0),
  };
}

/** Options of an htb: packets that no filter sorts go to the class with the minor number `rest`; for 0 they pass at once. */
export function htbOptions(rest: number): Buffer {
  const global = Buffer.alloc(20);
  global.writeUInt32LE(HTB_VERSION, 0);
  global.writeUInt32LE(RATE_TO_QUANTUM, 4);
  global.writeUInt32LE(rest, 8);
  return encodeAttributes([[TCA_HTB.INIT, global]]);
}

/** Request for a class of an htb that limits nothing: the discipline in it does. */
export function addClass(place: Place): Request {
  const fastest = rateSpec(0xffff_ffff);
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32LE(ticks(1e6), 0);
  numbers.writeUInt32LE(ticks(1e6), 4);
  numbers.writeUInt32LE(LARGEST_QUANTUM, 8);
  return {
    doing: 'add a class to the queueing discipline htb',
    type: RTM.NEWTCLASS,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: body(place, [
      [TCA.KIND, 'htb'],
      [TCA.OPTIONS, [[TCA_HTB.PARMS, Buffer.concat([fastest, fastest, numbers])]]],
    ]),
  };
}

export interface AddressFilter {
  /** Index of the link. */
  link: number;
  /** The discipline whose packets it sorts. */
  parent: number;
  /** The class for the packets. */
  classId: number;
  address: string;
  /** Which address of a packet must equal it. */
  field: 'source' | 'destination';
}

/** Request for a filter (u32) that sorts packets by an address. It fails with ENOENT when the kernel has no cls_u32. */
export function addAddressFilter(filter: AddressFilter): Request {
  const { link, parent, classId, address, field } = filter;
  const v4 = isIPv4(address);
  const bytes = encodeIp(address);
  const start = OFFSET[v4 ? 4 : 6][field];
  const words = Array.from({ length: bytes.length / 4 }, (_, index) => {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(0xffff_ffff, 0);
    bytes.copy(key, 4, index * 4, index * 4 + 4);
    key.writeInt32LE(start + index * 4, 8);
    return key;
  });
  const selector = Buffer.alloc(16);
  selector.writeUInt8(TC_U32_TERMINAL, 0);
  selector.writeUInt8(words.length, 2);
  return {
    doing: `add a filter for packets of ${address}`,
    type: RTM.NEWTFILTER,
    flags: NLM_F.CREATE,
    // A priority has filters of one protocol only.
    body: body(
      { link, parent, handle: 0, info: ((v4 ? 1 : 2) << 16) | swapped(v4 ? ETH_P.IP : ETH_P.IPV6) },
      [
        [TCA.KIND, 'u32'],
        [
          TCA.OPTIONS,
          [
            [TCA_U32.CLASSID, classId],
            [TCA_U32.SEL, Buffer.concat([selector, ...words])],
          ],
        ],
      ],
    ),
  };
}

/** Request for the filters of a discipline, for NetlinkSocket.dump() with decodeAddressFilter. */
export const listFilters = (link: number, parent: number): Request => ({
  doing: 'list filters',
  type: RTM.GETTFILTER,
  body: body({ link, parent, handle: 0 }, []),
});

/** A filter's class and address; undefined for the tables that the kernel keeps u32 filters in. */
export function decodeAddressFilter(message: Message): { classId: number; address: string } | undefined {
  const attributes = decodeAttributes(message.body.subarray(TCMSG_LENGTH));
  const options = decodeAttributes(attributes.get(TCA.OPTIONS) ?? Buffer.alloc(0));
  const classId = options.get(TCA_U32.CLASSID);
  const selector = options.get(TCA_U32.SEL);
  if (classId === undefined || selector === undefined) return undefined;
  const words = Array.from({ length: selector.readUInt8(2) }, (_, index) =>
    selector.subarray(16 + index * 16 + 4, 16 + index * 16 + 8),
  );
  return { classId: number(classId), address: decodeIp(Buffer.concat(words)) };
}

/** Where the addresses are in a header, in bytes (RFC 791, RFC 8200). */
const OFFSET = { 4: { source: 12, destination: 16 }, 6: { source: 8, destination: 24 } } as const;
/** <linux/pkt_sched.h> TC_HTB_PROTOVER: another version is refused. */
const HTB_VERSION = 3;
const RATE_TO_QUANTUM = 10;
/** Bytes that a class may send at a turn; above this the kernel warns. */
const LARGEST_QUANTUM = 200_000;
const TCMSG_LENGTH = 20;

const swapped = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

/** struct tcmsg: u8 family, pad, i32 link, u32 handle, u32 parent, u32 info. */
function body(place: Place & { info?: number }, attributes: readonly Attribute[]): Buffer {
  const bytes = Buffer.alloc(TCMSG_LENGTH);
  bytes.writeInt32LE(place.link, 4);
  bytes.writeUInt32LE(place.handle, 8);
  bytes.writeUInt32LE(place.parent, 12);
  bytes.writeUInt32LE(place.info ?? 0, 16);
  return Buffer.concat([bytes, encodeAttributes(attributes)]);
}

function placeOf(message: Message): Place {
  const bytes = Buffer.from(message.body);
  return { link: bytes.readInt32LE(4), handle: bytes.readUInt32LE(8), parent: bytes.readUInt32LE(12) };
}
