// The only door to native code: libc's symbols through koffi. `load(null)` finds glibc and musl alike.
import { constants } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);

/** The value of one register in a raw system call: a number, an address, or the memory of a buffer. */
export type Register = number | bigint | Uint8Array | null;

const syscallFunction = libc.func('int64_t syscall(int64_t, void *, void *, void *, void *, void *, void *)');

const cloneFunction = libc.func('int clone(void *, void *, int, void *, void *, void *, void *)');

const trimFunction = optional(() => libc.func('int malloc_trim(size_t)'));

function optional<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/** syscall(2): the result, or -errno, as the kernel itself returns it. */
export function rawSyscall(number: number, registers: readonly Register[]): number {
  const [a = null, b = null, c = null, d = null, e = null, f = null] = registers;
  const result = Number(syscallFunction(number, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/**
 * rawSyscall() on a thread of libuv's pool, for calls that wait. Buffers must stay referenced until it
 * settles.
 */
export function rawSyscallAsync(number: number, registers: readonly Register[]): Promise<number> {
  const [a = null, b = null, c = null, d = null, e = null, f = null] = registers;
  return new Promise((resolve, reject) => {
    syscallFunction.async(number, a, b, c, d, e, f, (error: Error | null, result: number | bigint) => {
      // errno belongs to the pool's thread; koffi hands its copy to this callback.
      if (error) reject(error);
      else resolve(Number(result) === -1 ? -koffi.errno() : Number(result));
    });
  });
}

/**
 * clone(2) through libc's wrapper, which starts the child in a function; the raw system call does not.
 * @returns the child's pid, or -errno
 */
export function rawClone(options: {
  code: number;
  /** The highest address of the child's stack. */
  stack: number;
  flags: number;
  pidfd: Uint8Array;
}): number {
  const { code, stack, flags, pidfd } = options;
  const result = Number(cloneFunction(code, stack, flags | 0, null, pidfd, null, null));
  return result === -1 ? -koffi.errno() : result;
}

/** A buffer over memory that mmap(2) returned. It must not be used after munmap(2). */
export function bufferAt(address: number, length: number): Buffer<ArrayBuffer> {
  return Buffer.from(koffi.view(BigInt(address), length) as ArrayBuffer);
}

/**
 * The address of a buffer's memory, valid while the buffer lives: V8 does not move the memory of an
 * ArrayBuffer.
 */
export function addressOf(buffer: Uint8Array): number {
  return Number(koffi.address(buffer));
}

/**
 * malloc_trim(3): returns free memory of the C heap to the kernel. musl has no such function, and does not
 * need it.
 */
export function trimHeap(): void {
  trimFunction?.(0);
}

const F_GETFL = 3;

/**
 * Ends this process without Node's clean-up, which frees its memory piece by piece, 3 ms long. Returns where Node has something
 * to restore that outlives the process: the mode of a terminal, or O_NONBLOCK, which it sets in files that others share.
 */
export function exitAtOnce(code: number): void {
  const isTerminal = libc.func('int isatty(int)');
  const fcntl = libc.func('int fcntl(int, int)');
  for (const fd of [0, 1, 2])
    if (isTerminal(fd) === 1 || (Number(fcntl(fd, F_GETFL)) & constants.O_NONBLOCK) !== 0) return;
  libc.func('void _exit(int)')(code);
}
