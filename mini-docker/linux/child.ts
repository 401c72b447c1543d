// A child program run in memory: clone(2) starts a child on the compiled code, and the child shares our memory until it
// execs or ends. It must meet no signal handler (libuv's would run in our memory), so all signals are blocked in it
// from before its birth until its own last steps.
import { closeSync } from 'node:fs';
import { call } from './call.ts';
import { CLONE, CLOSE_RANGE, P, SIG, SIG_BLOCK, SIG_SETMASK, W } from './constants.ts';
import { describe } from './describe.ts';
import { hintFor } from './hints.ts';
import { rawClone } from './libc.ts';
import { Mapping } from './mapping.ts';
import { streamOver } from './on-demand.ts';
import { pipe } from './pipes.ts';
import { compile, type Item, type Program } from './program.ts';
import { type Names, renamedProgram } from './renamed-program.ts';
import { Results } from './results.ts';
import { because, hostArchitecture, isLinked, type Step } from './step.ts';
import { SyscallError } from './syscall-error.ts';
import { cloneCall, closeRange, sigaction, sigprocmask, waitid } from './syscalls.ts';

const STACK_SIZE = 16_384;
const MASK_SIZE = 8;
const ALL_DESCRIPTORS = 0xffff_ffff;
const allSignals = Buffer.alloc(MASK_SIZE, 0xff);
const noSignals = Buffer.alloc(MASK_SIZE);
/** SIG_DFL: struct kernel_sigaction of zeroes. */
const defaultAction = Buffer.alloc(32);

/** Steps for right before execve: they reset the signals to the state in which a shell starts a program. */
export function resetSignals(): Step[] {
  return [
    // Node ignores SIGPIPE, and an ignored signal stays ignored across execve.
    sigaction(SIG.PIPE, defaultAction, null, MASK_SIZE),
    sigprocmask(SIG_SETMASK, noSignals, null, MASK_SIZE),
  ];
}

export interface Child {
  /** Pid in our own pid namespace. The caller has to wait for the child. */
  readonly pid: number;
  /** A close-on-exec descriptor that the caller has to close. */
  readonly pidfd: number;
  readonly results: Results;
  /**
   * Resolves when the child has execed, or ended without exec. Rejects with a SyscallError when a step failed
   * before.
   */
  readonly executed: Promise<void>;
}

/**
 * Starts a child on a list of steps.
 * @param options.flags CLONE.NEW*: the new namespaces that the child gets
 * @param options.doing the beginning of an error message: 'cannot start web'
 * @throws SyscallError when clone itself fails
 */
export function startChild(
  items: readonly Item[],
  options: { flags?: number; doing?: string; trace?: boolean } = {},
): Child {
  const { flags = 0, doing, trace = false } = options;
  using reservations = new DisposableStack();
  const loaded = reservations.use(load(items, trace));
  const { readEnd, writeEnd } = pipe();
  let child: Pick<Child, 'pid' | 'pidfd'>;
  try {
    child = cloneOn(loaded, flags, doing);
  } catch (error) {
    closeSync(readEnd);
    throw error;
  } finally {
    closeSync(writeEnd);
  }

  const memory = reservations.move();
  const { results } = loaded;
  const executed = endOf(readEnd).then(() => {
    results.detach();
    memory.dispose();
    const error = failureOf(results, doing);
    if (error !== undefined) throw error;
  });
  // A caller that never reads `executed` must not be ended by an unhandled rejection.
  executed.catch(() => {});
  return { ...child, results, executed };
}

/** Steps that stay in memory, to be run again and again: the last one executes a program, which has memory of its own. */
export class Launch implements Disposable {
  readonly #loaded: Loaded;

  /**
   * @param lent the descriptors that the steps use. A child inherits a copy of all descriptors, which takes milliseconds
   *   where a daemon has thousands; this one has them in common with us until its first step copies those up to the highest
   *   of `lent` (CLOSE_RANGE_UNSHARE, close_range(2)).
   */
  constructor(items: readonly Item[], lent: readonly number[]) {
    const others = closeRange(Math.max(2, ...lent) + 1, ALL_DESCRIPTORS, CLOSE_RANGE.UNSHARE);
    this.#loaded = load([because('descriptors of its own, without those above', others), ...items]);
  }

  /**
   * Starts a child, and returns when its program runs. Meanwhile this thread waits, as with vfork(2), so the steps must wait
   * for nothing.
   * @param options.names names in the steps that are others this time, as for renamedProgram()
   * @throws SyscallError when clone or a step fails; nothing is left then
   */
  start(options: { doing: string; names?: Names }): Pick<Child, 'pid' | 'pidfd'> {
    const { doing, names = [] } = options;
    const { data, program } = this.#loaded;
    const named = names.length === 0 ? program : renamedProgram(program, names);
    data.bytes.set(named.data);
    const child = cloneOn(this.#loaded, CLONE.VFORK | CLONE.FILES, doing);
    const failure = failureOf(new Results(named, data.bytes), doing);
    if (failure === undefined) return child;
    call(waitid(P.PIDFD, child.pidfd, Buffer.alloc(128), W.EXITED, null));
    closeSync(child.pidfd);
    throw failure;
  }

  [Symbol.dispose](): void {
    this.#loaded[Symbol.dispose]();
  }
}

interface Loaded extends Disposable {
  program: Program;
  code: Mapping;
  data: Mapping;
  results: Results;
}

/** Compiles steps into memory in which a child can run them. */
function load(items: readonly Item[], trace = false): Loaded {
  using reservations = new DisposableStack();
  // The code contains the address of the data, so the data is mapped first, with an upper bound as its size.
  const data = reservations.use(new Mapping(sizeFor(items)));
  const program = compile(items, { architecture: hostArchitecture(), dataAddress: data.address, trace });
  data.bytes.set(program.data);
  const code = reservations.use(new Mapping(program.code.length));
  code.bytes.set(program.code);
  code.makeExecutable();
  const memory = reservations.move();
  const results = new Results(program, data.bytes);
  return { program, code, data, results, [Symbol.dispose]: () => memory.dispose() };
}

function cloneOn({ code, data }: Loaded, flags: number, doing: string | undefined) {
  const pidfd = Buffer.alloc(4);
  const oldMask = Buffer.alloc(MASK_SIZE);
  call(sigprocmask(SIG_BLOCK, allSignals, oldMask, MASK_SIZE));
  const pid = rawClone({
    code: code.address,
    stack: data.address + data.size,
    flags: flags | CLONE.VM | CLONE.PIDFD | SIG.CHLD,
    pidfd,
  });
  call(sigprocmask(SIG_SETMASK, oldMask, null, MASK_SIZE));
  if (pid >= 0) return { pid, pidfd: pidfd.readInt32LE(0) };
  const step = cloneCall(flags | SIG.CHLD, 0, null, 0, 0);
  const what = `${doing === undefined ? '' : `${doing}: `}${describe(step)}`;
  throw new SyscallError({ doing: what, failed: step, errno: -pid, hint: hintFor(step, -pid) });
}

/** The failure that a program has recorded, as an error: the step, and what its errno means. */
export function failureOf(results: Results, doing: string | undefined): SyscallError | undefined {
  const failure = results.failure();
  if (failure === undefined) return undefined;
  const { step, position, errno } = failure;
  const what = [doing, step.why, describe(step)].filter(part => part !== undefined).join(': ');
  return new SyscallError({
    doing: what,
    failed: step,
    errno,
    step: position,
    hint: hintFor(step, errno, { gone: true }),
  });
}

/**
 * Bytes to map for a program: an upper bound of the memory that its steps need, and a stack for libc's
 * clone(). The memory is mapped before the program is compiled, since the code contains its addresses.
 */
function sizeFor(items: readonly Item[]): number {
  let size = STACK_SIZE + 4096;
  for (const item of items) {
    size += 64;
    const step = 'syscall' in item ? item : 'step' in item ? item.step : undefined;
    for (const arg of step?.args ?? []) {
      if (typeof arg === 'string') size += Buffer.byteLength(arg) + 16;
      else if (arg instanceof Uint8Array) size += arg.byteLength + 16;
      else if (isLinked(arg))
        size += arg.pointers.reduce((sum, { to }) => sum + to.byteLength + 16, arg.bytes.byteLength);
      else if (Array.isArray(arg)) for (const word of arg) size += Buffer.byteLength(word) + 32;
    }
  }
  return size;
}

/** Resolves when the last copy of the pipe's other end is closed: exec or exit closes the child's. */
function endOf(fd: number): Promise<void> {
  return new Promise(resolve => {
    const socket = streamOver(fd, 'read');
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
  });
}
