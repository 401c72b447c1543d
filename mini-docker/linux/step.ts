// A step is one system call written down as data: to be made now (call.ts), to be compiled into a child program
// (program.ts), or to be printed (describe.ts).

export type Architecture = 'x64' | 'arm64';

/** Names of single bits, and of multi-bit values, in an argument. */
export type Names = Readonly<Record<string, number>>;

/**
 * What an argument is, for typing, for laying it out in memory, and for printing.
 * A `string` may also be bytes that end in a NUL: file names need not be UTF-8.
 * `length` is not given by the caller: it is the byte length of the argument before it.
 * `buffer` is memory that the kernel reads or fills. `words` are addresses' worth of numbers (8 bytes each).
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
  /** A buffer whose content can be told in words. */
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

/** Where that result is, for calls that take a pointer to a number. */
export interface ResultAddress {
  readonly addressOfResultOf: Step;
}

/** Eight bytes of a buffer that an earlier step has filled, as a number. */
export interface Word {
  readonly wordIn: Uint8Array;
  readonly at: number;
}

/** A structure with pointers in it: where in `bytes` the address of which buffer belongs. Only in a child program. */
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
  /** Names the step: what because() and mayFail() make of it is the same step still. */
  readonly key: number;
  readonly syscall: Syscall;
  /** One for each kind that is not `length`. */
  readonly args: readonly Arg[];
  /** The reason, for people. */
  readonly why?: string;
  /** errnos after which the program goes on; '*' for all. */
  readonly mayFail?: readonly string[];
  /** Any other result than this one counts as a failure: a read that must not meet the end of its pipe. */
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

/** A maker of steps for one system call, which also tells its name, numbers and kinds of arguments. */
export type SyscallStep<Kinds extends readonly Kind[]> = ((...args: ArgsOf<Kinds>) => Step) & {
  readonly syscall: Syscall;
};

/** So many steps were made so far. */
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

/** The step with its reason. */
export function because(why: string, step: Step): Step {
  return { ...step, why };
}

/** The step, and the program goes on where it fails with one of these errnos, or at all. */
export function mayFail(step: Step, ...errnos: string[]): Step {
  return { ...step, mayFail: errnos.length > 0 ? errnos : ['*'] };
}

/** The result of a step that stands earlier in the program: `const root = openat(…); … fchdir(resultOf(root))`. */
export function resultOf(step: Step): Ref {
  return { resultOf: step };
}

/** A pointer to that result. */
export function addressOfResult(step: Step): ResultAddress {
  return { addressOfResultOf: step };
}

export function isLinked(arg: Arg): arg is Linked {
  return typeof arg === 'object' && arg !== null && 'pointers' in arg;
}

/** What a child program alone knows: a number that it computes while it runs, or the place of one. */
export function isReference(arg: Arg): arg is Ref | ResultAddress | Word {
  if (typeof arg !== 'object' || arg === null) return false;
  return 'resultOf' in arg || 'addressOfResultOf' in arg || 'wordIn' in arg;
}

/** The machine's architecture in the tables' words. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new Error(
    `mini-docker knows x86-64 and arm64, and this machine is ${process.arch}: the tables in mini-docker/linux lack it`,
  );
}
