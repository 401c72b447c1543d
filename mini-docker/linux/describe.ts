// A step in words: mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV, NULL), in strace's manner.
import { type Arg, isLinked, isReference, type Kind, type Names, type Step } from './step.ts';

/**
 * Characters of a string that are shown. Mount options can be a page long, which is too much for one line.
 */
const LONGEST = 100;

/** @param position gives the position of an earlier step in the list, for results that a later step uses */
export function describe(step: Step, position?: (step: Step) => number): string {
  const shown: string[] = [];
  let next = 0;
  let previous: Arg = null;
  for (const kind of step.syscall.kinds) {
    if (kind === 'length') {
      shown.push(String(byteLength(previous)));
      continue;
    }
    previous = step.args[next++] ?? null;
    shown.push(describeArg(previous, kind, position));
  }
  return `${step.syscall.name}(${shown.join(', ')})`;
}

/** Bytes of a step's result in memory. */
const RESULT_SIZE = 8;

/** Bytes of a string (without its NUL) or of a buffer: the value of a `length` argument. */
export function byteLength(arg: Arg): number {
  if (typeof arg === 'string') return Buffer.byteLength(arg);
  if (arg instanceof Uint8Array) return arg.byteLength;
  if (isLinked(arg)) return arg.bytes.byteLength;
  if (isReference(arg) && 'addressOfResultOf' in arg) return RESULT_SIZE;
  return 0;
}

function describeArg(arg: Arg, kind: Kind, position?: (step: Step) => number): string {
  if (isReference(arg)) {
    if ('wordIn' in arg) return `‹what an earlier call wrote›`;
    const step = 'resultOf' in arg ? arg.resultOf : arg.addressOfResultOf;
    const number = position?.(step);
    const result = number === undefined ? `‹${step.syscall.name}›` : `‹result of ${number}›`;
    return 'resultOf' in arg ? result : `&${result}`;
  }
  if (typeof kind === 'object' && 'show' in kind) {
    if (isLinked(arg)) return kind.show(arg.bytes);
    return arg instanceof Uint8Array ? kind.show(arg) : 'NULL';
  }
  if (typeof kind === 'object') {
    return 'flags' in kind ? flagNames(BigInt(arg as number), kind.flags) : valueName(Number(arg), kind.one);
  }
  if (kind === 'fd' && Number(arg) === -100) return 'AT_FDCWD';
  if (kind === 'mode') return `0${Number(arg).toString(8)}`;
  if (arg === null) return 'NULL';
  if (typeof arg === 'string')
    return JSON.stringify(arg.length > LONGEST ? `${arg.slice(0, LONGEST)}…` : arg);
  if (arg instanceof Uint8Array) return `‹${arg.byteLength} bytes›`;
  if (isLinked(arg)) return `‹${arg.bytes.byteLength} bytes›`;
  if (typeof arg === 'object') {
    const words = arg.map(word => JSON.stringify(word));
    return words.length > 6
      ? `[${words.slice(0, 6).join(', ')}, … ${words.length}]`
      : `[${words.join(', ')}]`;
  }
  return String(arg);
}

/** 'MS_BIND|MS_REC': names of the bits, the rest in hexadecimal; '0' for none. */
export function flagNames(value: bigint, names: Names): string {
  let rest = BigInt.asUintN(64, value);
  const found: string[] = [];
  // Values of several bits are tried first: O_TMPFILE contains O_DIRECTORY, while MS_REC|MS_PRIVATE is two
  // names.
  const entries = Object.entries(names).sort(([, a], [, b]) => bitCount(b) - bitCount(a));
  for (const [name, number] of entries) {
    const bits = BigInt.asUintN(64, BigInt(number));
    if (bits !== 0n && (rest & bits) === bits) {
      found.push(name);
      rest &= ~bits;
    }
  }
  if (rest !== 0n) found.push(`0x${rest.toString(16)}`);
  if (found.length > 0) return found.join('|');
  return Object.entries(names).find(([, number]) => number === 0)?.[0] ?? '0';
}

function valueName(value: number, names: Names): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}

function bitCount(value: number): number {
  return BigInt.asUintN(64, BigInt(value)).toString(2).replaceAll('0', '').length;
}
