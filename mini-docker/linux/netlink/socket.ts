// A netlink socket whose requests are answered at once: the kernel handles a request inside sendto(2) and has
// queued the answer when that call returns (netlink_unicast_kernel() in net/netlink/af_netlink.c), so no code
// here waits for an answer. Only the kernel's own work may take time, under the lock that all network changes
// share.
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

/** A request as data. `doing` describes it in errors: 'create link web (veth)'. */
export interface Request {
  doing: string;
  type: number;
  /** NLM_F_ flags other than REQUEST and ACK. */
  flags?: number;
  body: Uint8Array;
  /** True when only a failure is acknowledged: for the begin and end of a transaction. */
  silent?: boolean;
}

/** Options for requests where a certain failure is as good as success: 'delete link web' and ENODEV. */
export interface RequestOptions {
  mayFail?: readonly string[];
}

export interface NetlinkSocket extends Disposable {
  /** Makes the request. @throws NetlinkError when the kernel refuses it */
  request(request: Request, options?: RequestOptions): void;
  /** Makes all requests in order with one system call. @throws NetlinkError for the first one that failed */
  batch(requests: readonly Request[], options?: RequestOptions): void;
  /** batch() on a thread of libuv's pool, for requests that keep the kernel busy for milliseconds. */
  batchAsync(requests: readonly Request[], options?: RequestOptions): Promise<void>;
  /**
   * The one object in the answer; undefined after an errno of `mayFail`.
   * @throws NetlinkError for any other errno
   */
  get<T>(request: Request, decode: (message: Message) => T, options?: RequestOptions): T | undefined;
  /** All objects of a kind. @throws NetlinkError when the kernel refuses the request */
  dump<T>(request: Request, decode: (message: Message) => T): T[];
  close(): void;
}

const MSG_DONTWAIT = 0x40;
/**
 * Bytes of the receive buffer: more than any datagram of the kernel (NLMSG_GOODSIZE, and 32 KiB for dumps).
 */
const RECEIVE_BYTES = 64 * 1024;

/**
 * Opens a socket in the network namespace of the calling thread. The socket stays there when the thread
 * moves.
 * @throws SyscallError when the socket cannot be opened
 */
export function openNetlink(protocol: number = NETLINK.ROUTE): NetlinkSocket {
  const fd = call(socket(AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, protocol));
  // Kernels before 4.12 have neither option: only the kernel's own messages are then missing from errors.
  call(mayFail(setsockopt(fd, SOL_NETLINK, NETLINK_OPTION.EXT_ACK, u32(1)), 'ENOPROTOOPT'));
  call(mayFail(setsockopt(fd, SOL_NETLINK, NETLINK_OPTION.CAP_ACK, u32(1)), 'ENOPROTOOPT'));

  const room = Buffer.alloc(RECEIVE_BYTES);
  let sequence = 0;
  let open = true;

  /** @param flags NLM_F_ flags of every request; NLM_F_ACK is left out of silent requests */
  const encode = (requests: readonly Request[], flags: number): { first: number; datagram: Buffer } => {
    const first = sequence + 1;
    const messages = requests.map(each =>
      encodeMessage({
        type: each.type,
        flags: (each.flags ?? 0) | NLM_F.REQUEST | (each.silent ? 0 : flags),
        sequence: ++sequence,
        body: each.body,
      }),
    );
    return { first, datagram: Buffer.concat(messages) };
  };

  /** The messages of one datagram; undefined when none is queued. */
  const receive = (): Message[] | undefined => {
    const length = call(mayFail(recvfrom(fd, room, MSG_DONTWAIT, null, null), 'EAGAIN'));
    return length < 0 ? undefined : decodeMessages(room.subarray(0, length));
  };

  const receiveAnswer = (request: Request): Message[] => {
    const messages = receive();
    if (messages) return messages;
    throw new Error(`${request.doing}: the kernel gave no answer`);
  };

  /** Acknowledgements that were received for another request: those of a batchAsync() in progress. */
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

  /** Takes one acknowledgement for each request. All of them must be taken, even after a failure. */
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
  // Without NLM_F_CAPPED the message repeats the whole refused request, whose header begins with its length.
  const repeated = message.flags & NLM_F.CAPPED ? HEADER_LENGTH : (body.readUInt32LE(4) + 3) & ~3;
  const words = decodeAttributes(body.subarray(4 + repeated)).get(NLMSGERR_ATTR.MSG);
  return words && text(words);
}
