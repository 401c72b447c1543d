// Open files that travel to the process at the other end of a Unix socket. unix(7), SCM_RIGHTS
import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { call } from './call.ts';
import { addressOf } from './libc.ts';
import { close, connect, recvmsg, sendmsg, socket } from './syscalls.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** sun_path of struct sockaddr_un, with the NUL at its end. */
const LONGEST_PATH = 108;

/** @throws SyscallError when no process listens there */
export function sendDescriptors(path: string, fds: readonly number[], text: string): void {
  const connection = connectTo(path);
  try {
    const data = Buffer.from(text);
    const vector = pointers(addressOf(data), data.length);
    const control = Buffer.alloc(16 + Math.ceil((4 * fds.length) / 8) * 8);
    control.writeBigUInt64LE(BigInt(16 + 4 * fds.length), 0);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    fds.forEach((fd, index) => {
      control.writeInt32LE(fd, 16 + 4 * index);
    });
    // struct msghdr: no address; the vector; the control message; flags
    const message = pointers(0, 0, addressOf(vector), 1, addressOf(control), control.length, 0);
    call(sendmsg(connection, message, 0));
  } finally {
    call(close(connection));
  }
}

/** Takes the descriptor that comes with the next message. @returns undefined when the message brings none */
export function receiveDescriptor(socket: number): number | undefined {
  const data = Buffer.alloc(4096);
  const vector = pointers(addressOf(data), data.length);
  const control = Buffer.alloc(24);
  const message = pointers(0, 0, addressOf(vector), 1, addressOf(control), control.length, 0);
  call(recvmsg(socket, message, MSG_CMSG_CLOEXEC));
  return control.readInt32LE(12) === SCM_RIGHTS ? control.readInt32LE(16) : undefined;
}

function pointers(...words: number[]): Buffer {
  return Buffer.from(BigUint64Array.from(words.map(BigInt)).buffer);
}

/** @returns a connected socket, which the caller closes */
function connectTo(path: string): number {
  const connection = call(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // The descriptor of its directory stands for a path that is too long for the structure.
  const directory =
    Buffer.byteLength(path) < LONGEST_PATH
      ? undefined
      : openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const short = directory === undefined ? path : `/proc/self/fd/${directory}/${basename(path)}`;
    const address = Buffer.alloc(2 + LONGEST_PATH);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(short, 2);
    call(connect(connection, address));
    return connection;
  } catch (error) {
    call(close(connection));
    throw error;
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}
