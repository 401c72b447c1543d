// A step is one system call written down as data: to be made now (call.ts), to be compiled into a child program
// (program.ts), or to be printed (describe.ts).

export type Architecture = 'x64' | 'arm64';

/** Names of single bits, and of multi-bit values, in an argument. */
export type Names = Readonly<Record<string, number>>;

/**
 * The kind of an argument determines its type, its layout in memory, and how it is printed.
 * - `string` may also be bytes that end in a NUL: file names need not be UTF-8.
 * - `strings` are an array of pointers to strings, which ends with a null pointer.
 * - `buffer` is memory that the kernel reads or fills.
 * - `length` is the byte length of the preceding argument; the caller does not pass it.
 * - `flags` are combined by |, `one` is one of several values.
 */
export type Kind =
  | 'int'
  | 'fd'
  | 'mode'
  | 'string'
  | 'strings'
  | 'buffer'
  | 'length'
  | { readonly flags: Names }
  | { readonly one: Names }
  /** A buffer whose content can be printed. */
  | Structure;

export interface Structure {
  readonly show: (bytes: Uint8Array) => string;
}

export interface Syscall {
  readonly name: string;
  readonly numbers: Readonly<Record<Architecture, number>>;
  readonly kinds: readonly Kind[];
}

/** The result of an earlier step of the same program. */
export interface Ref {
  readonly resultOf: Step;
}

/** The address of such a result, for calls that take a pointer to a number. */
export interface ResultAddress {
  readonly addressOfResultOf: Step;
}

/** Eight bytes, as a number, of a buffer that an earlier step has filled. */
export interface Word {
  readonly wordIn: Uint8Array;
  readonly at: number;
}

/**
 * A structure with pointers: offsets in `bytes`, and the buffers whose addresses belong there. Only in child
 * programs.
 */
export interface Linked {
  readonly bytes: Uint8Array;
  readonly pointers: readonly { readonly at: number; readonly to: Uint8Array }[];
}

export type Arg =
  | number
  | bigint
  | string
  | null
  | readonly string[]
  | Uint8Array
  | Ref
  | ResultAddress
  | Word
  | Linked;

export interface Step {
  /** Identity of the step, which the copies made by because() and mayFail() share. */
  readonly key: number;
  readonly syscall: Syscall;
  /** One argument for each kind that is not `length`. */
  readonly args: readonly Arg[];
  /** The reason for the step, in words. */
  readonly why?: string;
  /** errnos after which the program continues; '*' for all. */
  readonly mayFail?: readonly string[];
  /** The only result that is not a failure: for a read that must not reach the end of its pipe. */
  readonly expect?: number;
}

type ArgOf<K> = K extends 'string'
  ? string | Uint8Array | null
  : K extends 'strings'
    ? readonly string[] | null
    : K extends 'buffer' | Structure
      ? Uint8Array | Linked | ResultAddress | null
      : number | bigint | Ref | Word;

type ArgsOf<Kinds extends readonly Kind[]> = Kinds extends readonly [
  infer First,
  ...infer Rest extends readonly Kind[],
]
  ? First extends 'length'
    ? ArgsOf<Rest>
    : [ArgOf<First>, ...ArgsOf<Rest>]
  : [];

/** A function that makes steps for one system call, with the call's name, numbers and kinds of arguments. */
export type SyscallStep<Kinds extends readonly Kind[]> = ((...args: ArgsOf<Kinds>) => Step) & {
  readonly syscall: Syscall;
};

/** Number of steps made so far. */
let made = 0;

/** Describes a system call once, for both architectures. Numbers: <asm/unistd_64.h>, <asm-generic/unistd.h>. */
export function syscall<const Kinds extends readonly Kind[]>(
  name: string,
  numbers: Record<Architecture, number>,
  kinds: Kinds,
): SyscallStep<Kinds> {
  const description: Syscall = { name, numbers, kinds };
  const step = (...args: Arg[]): Step => ({ key: ++made, syscall: description, args });
  return Object.assign(step, { syscall: description }) as unknown as SyscallStep<Kinds>;
}

/** The step with a reason. */
export function because(why: string, step: Step): Step {
  return { ...step, why };
}

/**
 * The step, after which the program continues even if it fails with one of these errnos, or without errnos,
 * with any.
 */
export function mayFail(step: Step, ...errnos: string[]): Step {
  return { ...step, mayFail: errnos.length > 0 ? errnos : ['*'] };
}

/** The result of an earlier step in the program: `const root = openat(…); … fchdir(resultOf(root))`. */
export function resultOf(step: Step): Ref {
  return { resultOf: step };
}

/** A pointer to the result of an earlier step. */
export function addressOfResult(step: Step): ResultAddress {
  return { addressOfResultOf: step };
}

export function isLinked(arg: Arg): arg is Linked {
  return typeof arg === 'object' && arg !== null && 'pointers' in arg;
}

/**
 * Whether an argument is known only to the running child program: a number that it computes, or the address
 * of one.
 */
export function isReference(arg: Arg): arg is Ref | ResultAddress | Word {
  if (typeof arg !== 'object' || arg === null) return false;
  return 'resultOf' in arg || 'addressOfResultOf' in arg || 'wordIn' in arg;
}

/** The machine's architecture, by its name in the tables of system calls. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Error(
    `mini-docker knows x86-64 and arm64, and this machine is ${process.arch}: the tables in mini-docker/linux lack it`,
  );
}
