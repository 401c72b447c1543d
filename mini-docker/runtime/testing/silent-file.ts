// A file whose content never comes: a FUSE filesystem that has one file as its root, and leaves every read
// unanswered (kernel, include/uapi/linux/fuse.h).

import { closeSync, constants, openSync, read, writeSync } from 'node:fs';

const OPCODE = { GETATTR: 3, OPEN: 14, READ: 15, FORGET: 2, INIT: 26, BATCH_FORGET: 42 } as const;
const ENOSYS = 38;
const SIZE = 4096;
const FOPEN_DIRECT_IO = 1;
let opened = 0;

export interface SilentFile extends Disposable {
  /** For a child, as the descriptor that `mount -t fuse -o fd=` names. Closing it ends all reads with an error. */
  fd: number;
  /** Reads that wait for an answer. */
  readonly waiting: number;
}

export function serveSilentFile(): SilentFile {
  const fd = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  let waiting = 0;
  let closed = false;
  const request = Buffer.alloc(1 << 17);
  const next = () => {
    if (closed) return;
    read(fd, request, 0, request.length, null, error => {
      if (closed) return;
      if (error === null) {
        const opcode = request.readUInt32LE(4);
        if (opcode === OPCODE.READ) waiting++;
        else if (opcode !== OPCODE.FORGET && opcode !== OPCODE.BATCH_FORGET) answer(fd, opcode, request);
      }
      // EAGAIN, or EPERM before it is mounted.
      setTimeout(next, 5);
    });
  };
  next();
  return {
    fd,
    get waiting() {
      return waiting;
    },
    [Symbol.dispose]() {
      closed = true;
      closeSync(fd);
    },
  };
}

function answer(fd: number, opcode: number, request: Buffer): void {
  const body = bodyOf(opcode);
  const reply = Buffer.alloc(16 + (body?.length ?? 0));
  reply.writeUInt32LE(reply.length, 0);
  reply.writeInt32LE(body === undefined ? -ENOSYS : 0, 4);
  request.copy(reply, 8, 8, 16); // the request's number
  body?.copy(reply, 16);
  writeSync(fd, reply);
}

function bodyOf(opcode: number): Buffer | undefined {
  if (opcode === OPCODE.OPEN) {
    const body = Buffer.alloc(16);
    body.writeUInt32LE(opened++ === 0 ? FOPEN_DIRECT_IO : 0, 8);
    return body;
  }
  if (opcode === OPCODE.INIT) {
    const body = Buffer.alloc(64);
    body.writeUInt32LE(7, 0);
    body.writeUInt32LE(31, 4);
    body.writeUInt32LE(1 << 17, 8); // max_readahead
    body.writeUInt32LE(4096, 20); // max_write
    return body;
  }
  if (opcode !== OPCODE.GETATTR) return undefined;
  const body = Buffer.alloc(104);
  body.writeBigUInt64LE(1n, 16); // inode
  body.writeBigUInt64LE(BigInt(SIZE), 24);
  body.writeUInt32LE(constants.S_IFREG | 0o644, 16 + 60);
  body.writeUInt32LE(1, 16 + 64); // links
  return body;
}
