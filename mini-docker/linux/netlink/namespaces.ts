// The numbers by which one network namespace knows others (rtnetlink(7), RTM_GETNSID): a link names the namespace of its
// other end so.
import { NETNSA, RTM } from './constants.ts';
import { decodeAttributes, encodeAttributes, type Message } from './message.ts';
import type { Request } from './socket.ts';

/** Request for the number of a process's namespace, for NetlinkSocket.get() with decodeNamespaceNumber. ESRCH: no such process */
export function namespaceNumberOf(pid: number): Request {
  return {
    doing: `ask for the number of the network namespace of process ${pid}`,
    type: RTM.GETNSID,
    body: Buffer.concat([Buffer.alloc(RTGENMSG_LENGTH), encodeAttributes([[NETNSA.PID, pid]])]),
  };
}

/** @returns -1 when nothing here has led there yet */
export function decodeNamespaceNumber(message: Message): number {
  const attributes = decodeAttributes(Buffer.from(message.body).subarray(RTGENMSG_LENGTH));
  return attributes.get(NETNSA.NSID)?.readInt32LE(0) ?? -1;
}

/** struct rtgenmsg, with its padding */
const RTGENMSG_LENGTH = 4;
