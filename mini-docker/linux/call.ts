// Makes a step at once, in this process, through libc's syscall().
import { byteLength, describe } from './describe.ts';
import { errnoName } from './errno.ts';
import { hintFor } from './hints.ts';
import { addressOf, type Register, rawSyscall, rawSyscallAsync } from './libc.ts';
import { type Arg, hostArchitecture, isLinked, isReference, type Step } from './step.ts';
import { SyscallError } from './syscall-error.ts';

const architecture = hostArchitecture();

/**
 * Makes the system call and returns its result, or -errno where the step may fail with that errno.
 * @throws SyscallError when the call fails with any other errno
 */
export function call(step: Step): number {
  const { registers, keep } = registersOf(step);
  const result = rawSyscall(step.syscall.numbers[architecture], registers);
  keep.length = 0;
  return checked(step, result);
}

/** call() on a thread of libuv's pool, for calls that wait. The event loop keeps running. */
export async function callAsync(step: Step): Promise<number> {
  const { registers, keep } = registersOf(step);
  const result = await rawSyscallAsync(step.syscall.numbers[architecture], registers);
  keep.length = 0;
  return checked(step, result);
}

function checked(step: Step, result: number): number {
  if (result >= 0 || result < -4095) return result;
  const errno = -result;
  if (step.mayFail?.some(name => name === '*' || name === errnoName(errno))) return result;
  const doing = step.why === undefined ? describe(step) : `${step.why}: ${describe(step)}`;
  throw new SyscallError({ doing, failed: step, errno, hint: hintFor(step, errno) });
}

/**
 * `keep` holds the memory that registers point to: the garbage collector must not free it before the call
 * returns.
 */
function registersOf(step: Step): { registers: Register[]; keep: unknown[] } {
  const registers: Register[] = [];
  const keep: unknown[] = [];
  let next = 0;
  let previous: Arg = null;
  for (const kind of step.syscall.kinds) {
    if (kind === 'length') {
      registers.push(byteLength(previous));
      continue;
    }
    previous = step.args[next++] ?? null;
    const register = registerOf(previous, keep);
    keep.push(register);
    registers.push(register);
  }
  return { registers, keep };
}

function registerOf(arg: Arg, keep: unknown[]): Register {
  if (arg === null || arg instanceof Uint8Array) return arg;
  if (typeof arg === 'number' || typeof arg === 'bigint') return BigInt.asIntN(64, BigInt(arg));
  if (typeof arg === 'string') return Buffer.from(`${arg}\0`);
  if (isReference(arg) || isLinked(arg))
    throw new TypeError('references and structures with pointers have a meaning only inside a child program');
  const words = arg.map(word => Buffer.from(`${word}\0`));
  keep.push(...words);
  const pointers = Buffer.alloc((words.length + 1) * 8);
  words.forEach((word, index) => {
    pointers.writeBigUInt64LE(BigInt(addressOf(word)), index * 8);
  });
  return pointers;
}
