// A child program run in memory: clone(2) starts a child on the compiled code, and the child shares our memory until it
// execs or ends. It must meet no signal handler (libuv's would run in our memory), so all signals are blocked in it
// from before its birth until its own last steps.
import { Socket } from 'node:net';
import { call } from './call.ts';
import { CLONE, O, SIG, SIG_BLOCK, SIG_SETMASK } from './constants.ts';
import { describe } from './describe.ts';
import { hintFor } from './hints.ts';
import { rawClone } from './libc.ts';
import { Mapping } from './mapping.ts';
import { compile, type Item } from './program.ts';
import { Results } from './results.ts';
import { hostArchitecture, isLinked, type Step } from './step.ts';
import { SyscallError } from './syscall-error.ts';
import { cloneCall, close, pipe2, sigaction, sigprocmask } from './syscalls.ts';

const STACK_SIZE = 16_384;
const MASK_SIZE = 8;
const allSignals = Buffer.alloc(MASK_SIZE, 0xff);
const noSignals = Buffer.alloc(MASK_SIZE);
/** SIG_DFL: struct kernel_sigaction of zeroes. */
const defaultAction = Buffer.alloc(32);

/** What a child does right before execve: gives its program the signals as a shell would. */
export function resetSignals(): Step[] {
  return [
    // Node ignores SIGPIPE, and what is ignored stays so across execve.
    sigaction(SIG.PIPE, defaultAction, null, MASK_SIZE),
    sigprocmask(SIG_SETMASK, noSignals, null, MASK_SIZE),
  ];
}

export interface Child {
  /** As our own pid namespace numbers it. The child stays ours to wait for. */
  readonly pid: number;
  /** Close-on-exec, ours to close. */
  readonly pidfd: number;
  readonly results: Results;
  /** Settles when the child has execed; rejects with a SyscallError when a step failed before. A child that ends without exec settles too. */
  readonly executed: Promise<void>;
}

/**
 * Starts a child on a list of steps.
 * @param options.flags CLONE.NEW* for namespaces of its own
 * @param options.doing what an error message begins with: 'cannot start web'
 * @throws SyscallError when clone itself fails
 */
export function startChild(
  items: readonly Item[],
  options: { flags?: number; doing?: string; trace?: boolean } = {},
): Child {
  const { flags = 0, doing, trace = false } = options;
  // The address of the data is part of the code, so the data's mapping comes first, in a size that surely suffices.
  using reservations = new DisposableStack();
  const data = reservations.use(new Mapping(sizeFor(items)));
  const program = compile(items, { architecture: hostArchitecture(), dataAddress: data.address, trace });
  data.bytes.set(program.data);
  const code = reservations.use(new Mapping(program.code.length));
  code.bytes.set(program.code);
  code.makeExecutable();

  const ends = Buffer.alloc(8);
  call(pipe2(ends, O.CLOEXEC));
  const readEnd = ends.readInt32LE(0);
  const writeEnd = ends.readInt32LE(4);
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
  call(close(writeEnd));
  if (pid < 0) {
    call(close(readEnd));
    const step = cloneCall(flags | SIG.CHLD, 0, null, 0, 0);
    const what = `${doing === undefined ? '' : `${doing}: `}${describe(step)}`;
    throw new SyscallError({ doing: what, failed: step, errno: -pid, hint: hintFor(step, -pid) });
  }

  const memory = reservations.move();
  const results = new Results(program, data.bytes);
  const executed = endOf(readEnd).then(() => {
    results.detach();
    memory.dispose();
    const error = failureOf(results, doing);
    if (error !== undefined) throw error;
  });
  // Whoever does not ask must not be ended by an unhandled rejection.
  executed.catch(() => {});
  return { pid, pidfd: pidfd.readInt32LE(0), results, executed };
}

/** The failure that a program has noted, as an error: which step, and what its errno means. */
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
 * Memory for a program is mapped before it is compiled, since its addresses are part of the code: an upper bound of
 * what its steps need, and a stack for libc's clone().
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

/** Settles when the other end of the pipe is closed everywhere: exec or exit closes the child's copy. */
function endOf(fd: number): Promise<void> {
  return new Promise(resolve => {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
  });
}
