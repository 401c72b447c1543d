// Sockets in the host's network for a daemon that is in another: a socket belongs to the network namespace of
// the process that opened it, whoever uses it later. The process outside opens a socket at each request, and
// the daemon takes a copy (pidfd_getfd(2)).
import { closeSync, readSync, writeSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { AF, SOCK } from '../linux/constants.ts';
import { ERRNO, errnoName } from '../linux/errno.ts';
import { encodeIp } from '../linux/netlink/ip-address.ts';
import { takeFd } from '../linux/pidfd.ts';
import { openProcess, type ProcessIdentity } from '../linux/proc/identity.ts';
import type { Item } from '../linux/program.ts';
import { addressOfResult, mayFail, resultOf } from '../linux/step.ts';
import { bind, close, listen, read, setsockopt, socket, write } from '../linux/syscalls.ts';

/** Both ends of the two pipes stay open in the process outside, so that the next daemon can take them. */
export const CHANNEL = { request: 9, requestWriter: 10, reply: 11, replyReader: 12 } as const;

/** Six words: family and type of the socket, and two options, each with its level and number. */
const HEADER_SIZE = 48;
const OPTION_SIZE = 4;
/** A struct sockaddr_in6; one for IPv4 is shorter, and the kernel ignores the rest. */
const ADDRESS_SIZE = 28;
const REQUEST_SIZE = HEADER_SIZE + OPTION_SIZE + ADDRESS_SIZE;
/** Results of socket, bind and listen. */
const REPLY_WORDS = 3;
/** No kernel has sockets of this family. */
const NO_FAMILY = 255;
const QUEUE = 511;

/** The loop of the process outside. A request of family 0 only closes the last socket. */
export function serveSockets(): Item[] {
  const [header, option, address] = [HEADER_SIZE, OPTION_SIZE, ADDRESS_SIZE].map(
    size => new Uint8Array(size),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const word = (index: number) => ({ wordIn: header, at: index * 8 });
  const opened = mayFail(socket(word(0), word(1), 0));
  const bound = mayFail(bind(resultOf(opened), address));
  const listening = mayFail(listen(resultOf(opened), QUEUE));
  return [
    { control: 'label', name: 'next request' },
    { ...read(CHANNEL.request, header), expect: HEADER_SIZE },
    { ...read(CHANNEL.request, option), expect: OPTION_SIZE },
    { ...read(CHANNEL.request, address), expect: ADDRESS_SIZE },
    mayFail(close(resultOf(opened))),
    { control: 'when', result: word(0), is: 'equal', value: 0, to: 'next request' },
    opened,
    mayFail(setsockopt(resultOf(opened), word(2), word(3), option)),
    mayFail(setsockopt(resultOf(opened), word(4), word(5), option)),
    bound,
    listening,
    ...[opened, bound, listening].map(step => write(CHANNEL.reply, addressOfResult(step))),
    { control: 'jump', to: 'next request' },
  ];
}

const ENDED = "the process that opens ports in the host's network has ended";

export interface SocketAddress {
  protocol: 'tcp' | 'udp';
  address: string;
  /** 0 for any free one. */
  port: number;
}

export interface OutsideSockets extends Disposable {
  /**
   * Opens a socket in the host's network; one for TCP listens already. @returns its descriptor, which the
   * caller owns
   * @throws Error with the errno's name in `code`: 'EADDRINUSE'
   */
  open(address: SocketAddress): number;
}

/** @throws Error when the process outside is gone */
export function openOutsideSockets(outside: ProcessIdentity): OutsideSockets {
  const pidfd = openProcess(outside);
  if (pidfd === undefined) throw new Error(ENDED);
  const request = takeFd(pidfd, CHANNEL.requestWriter);
  const reply = takeFd(pidfd, CHANNEL.replyReader);
  const closeLast = () => void writeSync(request, Buffer.alloc(REQUEST_SIZE));
  const nextWord = (): number => {
    const word = Buffer.alloc(8);
    if (readSync(reply, word) === 0) throw new Error(ENDED);
    return Number(word.readBigInt64LE());
  };
  // An earlier daemon may have died before it read its replies: those to a request that no other makes end them.
  writeSync(request, encodeHeader([NO_FAMILY]));
  while (nextWord() !== -ERRNO.EAFNOSUPPORT);
  for (let rest = 1; rest < REPLY_WORDS; rest++) nextWord();
  return {
    open(wanted) {
      writeSync(request, encodeRequest(wanted));
      const [socket = 0, bound = 0, listening = 0] = Array.from({ length: REPLY_WORDS }, nextWord);
      try {
        for (const result of [socket, bound]) if (result < 0) throw refused(-result);
        // A UDP socket cannot listen.
        if (listening < 0 && listening !== -ERRNO.EOPNOTSUPP) throw refused(-listening);
        return takeFd(pidfd, socket);
      } finally {
        closeLast();
      }
    },
    [Symbol.dispose]() {
      for (const fd of [request, reply, pidfd]) closeSync(fd);
    },
  };
}

/** <sys/socket.h>, <netinet/in.h> */
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_KEEPALIVE = 9;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** A request with only these words set. */
function encodeHeader(words: readonly number[]): Buffer {
  const request = Buffer.alloc(REQUEST_SIZE);
  for (const [index, word] of words.entries()) request.writeBigInt64LE(BigInt(word), index * 8);
  return request;
}

function encodeRequest({ protocol, address, port }: SocketAddress): Buffer {
  const isV6 = isIPv6(address);
  // For UDP, SO_REUSEADDR would let two sockets share a port.
  const reuse = [SOL_SOCKET, protocol === 'tcp' ? SO_REUSEADDR : SO_KEEPALIVE];
  const only = isV6 ? [IPPROTO_IPV6, IPV6_V6ONLY] : [SOL_SOCKET, SO_KEEPALIVE];
  const family = isV6 ? AF.INET6 : AF.INET;
  const words = [family, SOCK.CLOEXEC | (protocol === 'tcp' ? SOCK.STREAM : SOCK.DGRAM), ...reuse, ...only];
  const request = encodeHeader(words);
  request.writeUInt32LE(1, HEADER_SIZE);
  const at = HEADER_SIZE + OPTION_SIZE;
  request.writeUInt16LE(family, at);
  request.writeUInt16BE(port, at + 2);
  // struct sockaddr_in6 has the flow label before the address.
  request.set(encodeIp(address), at + (isV6 ? 8 : 4));
  return request;
}

function refused(errno: number): Error {
  const code = errnoName(errno);
  return Object.assign(new Error(`cannot open a socket in the host's network: ${code}`), { code });
}
