// /proc/PID/net/tcp and its siblings: the sockets of the process's network namespace. net/ipv4/tcp_ipv4.c, tcp4_seq_show

import { readBeginning } from './file.ts';

export interface ListeningSocket {
  protocol: 'tcp' | 'udp';
  /** Local address; '0.0.0.0' or '::' for all addresses. */
  address: string;
  port: number;
  /** Of the socket, as in /proc/PID/fd: 'socket:[INODE]'. */
  inode: number;
}

/** TCP_LISTEN, and for UDP, which has no such state, a socket without a peer: TCP_CLOSE. <net/tcp_states.h> */
const STATES = { tcp: '0A', udp: '07' } as const;

/** Bytes to read. The kernel lists listening sockets first, and any number of connections may follow them. */
const LARGEST = 1 << 20;

/** Sockets that wait for connections or packets; [] when the process has ended. */
export function listeningSockets(pid: number): ListeningSocket[] {
  return (['tcp', 'udp'] as const).flatMap(protocol =>
    ['', '6'].flatMap(family =>
      decodeSockets(readBeginning(`/proc/${pid}/net/${protocol}${family}`, LARGEST), protocol),
    ),
  );
}

export function decodeSockets(text: string, protocol: 'tcp' | 'udp'): ListeningSocket[] {
  return text.split('\n').flatMap(line => {
    const match = /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line);
    if (match?.[3] !== STATES[protocol]) return [];
    const inode = Number(line.trim().split(/ +/)[9] ?? 0);
    return [{ protocol, address: decodeAddress(match[1]!), port: Number.parseInt(match[2]!, 16), inode }];
  });
}

/** Decodes words of 32 bits, each in the byte order of the machine: '0100007F' is 127.0.0.1. */
function decodeAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return [...bytes].join('.');
  const mapped = bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff';
  if (mapped) return [...bytes.subarray(12)].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // URL writes the longest run of zeros as '::'.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
