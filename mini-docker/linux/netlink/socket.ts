// A netlink socket whose requests are answered at once: the kernel works on a request inside sendto(2) and has queued
// the answer when that returns (netlink_unicast_kernel() in net/netlink/af_netlink.c), so nothing here ever waits for
// an answer. What may take time is the kernel's work itself, under the lock that all network changes share.
import { call, callAsync } from '../call.ts';
import { AF, SOCK } from '../constants.ts';
import { errnoName } from '../errno.ts';
import { mayFail } from '../step.ts';
import { close, recvfrom, sendto, setsockopt, socket } from '../syscalls.ts';
import { NETLINK, NETLINK_OPTION, NLM_F, NLMSG, NLMSGERR_ATTR, SOL_NETLINK } from './constants.ts';
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  HEADER_LENGTH,
  type Message,
  text,
  u32,
} from './message.ts';
import { NetlinkError } from './netlink-error.ts';

/** A request as data. `doing` is for errors: 'create link web (veth)'. */
export interface Request {
  doing: string;
  type: number;
  /** NLM_F_ flags besides REQUEST and ACK. */
  flags: number;
  body: Uint8Array;
  /** Not acknowledged unless it fails: the begin and end of a transaction. */
  silent?: boolean;
}

/** For requests to which a certain failure is as good as success: 'delete link web' and ENODEV. */
export interface RequestOptions {
  mayFail?: readonly string[];
}

export interface NetlinkSocket extends Disposable {
  /** Makes the request. @throws NetlinkError */
  request(request: Request, options?: RequestOptions): void;
  /** Makes them in order with one system call. All are tried; the first that failed is thrown. @throws NetlinkError */
  batch(requests: readonly Request[], options?: RequestOptions): void;
  /** As batch(), on a pool thread: for what keeps the kernel busy for milliseconds. */
  batchAsync(requests: readonly Request[], options?: RequestOptions): Promise<void>;
  /** One object that the kernel answers with, or undefined where it answers with one of `mayFail`. @throws NetlinkError */
  get<T>(request: Request, decode: (message: Message) => T, options?: RequestOptions): T | undefined;
  /** All objects of a kind. @throws NetlinkError */
  dump<T>(request: Request, decode: (message: Message) => T): T[];
  close(): void;
}

const MSG_DONTWAIT = 0x40;
/** Larger than any datagram the kernel builds for us (NLMSG_GOODSIZE and 32 KiB for dumps). */
const RECEIVE_BYTES = 64 * 1024;

/**
 * Opens a socket in the network namespace of the calling thread; it stays there wherever the thread goes.
 * @throws SyscallError
 */
export function openNetlink(protocol: number = NETLINK.ROUTE): NetlinkSocket {
  const fd = call(socket(AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, protocol));
  // Kernels before 4.12 know neither: errors then lack the kernel's words, and nothing else.
  call(mayFail(setsockopt(fd, SOL_NETLINK, NETLINK_OPTION.EXT_ACK, u32(1)), 'ENOPROTOOPT'));
  call(mayFail(setsockopt(fd, SOL_NETLINK, NETLINK_OPTION.CAP_ACK, u32(1)), 'ENOPROTOOPT'));

  const room = Buffer.alloc(RECEIVE_BYTES);
  let sequence = 0;
  let open = true;

  /** @param flags NLM_F_ACK is left out of silent ones */
  const encode = (requests: readonly Request[], flags: number): { first: number; datagram: Buffer } => {
    const first = sequence + 1;
    const messages = requests.map(each =>
      encodeMessage({
        type: each.type,
        flags: each.flags | NLM_F.REQUEST | (each.silent ? 0 : flags),
        sequence: ++sequence,
        body: each.body,
      }),
    );
    return { first, datagram: Buffer.concat(messages) };
  };

  /** One datagram; undefined when there is none. */
  const receive = (): Message[] | undefined => {
    const length = call(mayFail(recvfrom(fd, room, MSG_DONTWAIT, null, null), 'EAGAIN'));
    return length < 0 ? undefined : decodeMessages(room.subarray(0, length));
  };

  const receiveAnswer = (request: Request): Message[] => {
    const messages = receive();
    if (messages) return messages;
    throw new Error(`${request.doing}: the kernel gave no answer`);
  };

  /** Acknowledgements that came while another request was waiting for its own: those of a batchAsync() under way. */
  const strays = new Map<number, Message>();
  const keepStray = (message: Message): void => {
    if (message.type === NLMSG.ERROR)
      strays.set(message.sequence, { ...message, body: Buffer.from(message.body) });
  };

  const takeStray = (wanted: number): Message | undefined => {
    const message = strays.get(wanted);
    strays.delete(wanted);
    return message;
  };

  /** Takes one acknowledgement a request; every one must be taken, also after a failure. */
  const acknowledged = (
    requests: readonly Request[],
    first: number,
    options: RequestOptions | undefined,
  ): void => {
    for (let messages = receive(); messages; messages = receive()) messages.forEach(keepStray);
    let failure: NetlinkError | undefined;
    let missing: Request | undefined;
    requests.forEach((request, index) => {
      const answer = takeStray(first + index);
      if (answer) failure ??= failureOf(answer, request, options);
      else if (!request.silent) missing ??= request;
    });
    if (failure) throw failure;
    if (missing) throw new Error(`${missing.doing}: the kernel gave no answer`);
  };

  const batch = (requests: readonly Request[], options?: RequestOptions): void => {
    if (requests.length === 0) return;
    const { first, datagram } = encode(requests, NLM_F.ACK);
    call(sendto(fd, datagram, 0, null));
    acknowledged(requests, first, options);
  };

  return {
    request: (request, options) => batch([request], options),
    batch,
    async batchAsync(requests, options) {
      if (requests.length === 0) return;
      const { first, datagram } = encode(requests, NLM_F.ACK);
      await callAsync(sendto(fd, datagram, 0, null));
      acknowledged(requests, first, options);
    },
    get(request, decode, options) {
      const { first, datagram } = encode([request], 0);
      call(sendto(fd, datagram, 0, null));
      for (;;) {
        for (const message of receiveAnswer(request)) {
          if (message.sequence !== first) {
            keepStray(message);
            continue;
          }
          if (message.type !== NLMSG.ERROR) return decode(message);
          throwUnlessAllowed(message, request, options);
          return undefined;
        }
      }
    },
    dump(request, decode) {
      const { first, datagram } = encode([request], NLM_F.DUMP);
      call(sendto(fd, datagram, 0, null));
      const found: ReturnType<typeof decode>[] = [];
      for (;;) {
        for (const message of receiveAnswer(request)) {
          if (message.sequence !== first) keepStray(message);
          else if (message.type === NLMSG.DONE) return found;
          else if (message.type === NLMSG.ERROR) throwUnlessAllowed(message, request);
          else found.push(decode(message));
        }
      }
    },
    close() {
      if (open) call(close(fd));
      open = false;
    },
    [Symbol.dispose]() {
      this.close();
    },
  };
}

function throwUnlessAllowed(message: Message, request: Request, options?: RequestOptions): void {
  const failure = failureOf(message, request, options);
  if (failure) throw failure;
}

/** An NLMSG_ERROR: i32 -errno (0 for success), the request's header, and with NLM_F_ACK_TLVS attributes. */
function failureOf(
  message: Message,
  request: Request,
  options: RequestOptions | undefined,
): NetlinkError | undefined {
  const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const errno = -body.readInt32LE(0);
  if (errno === 0 || options?.mayFail?.includes(errnoName(errno))) return undefined;
  return new NetlinkError({ doing: request.doing, errno, kernelMessage: extendedMessage(message, body) });
}

function extendedMessage(message: Message, body: Buffer): string | undefined {
  if (!(message.flags & NLM_F.ACK_TLVS)) return undefined;
  // Without NLM_F_CAPPED the whole refused request is repeated; its length is the first word of its header.
  const repeated = message.flags & NLM_F.CAPPED ? HEADER_LENGTH : (body.readUInt32LE(4) + 3) & ~3;
  const words = decodeAttributes(body.subarray(4 + repeated)).get(NLMSGERR_ATTR.MSG);
  return words && text(words);
}
