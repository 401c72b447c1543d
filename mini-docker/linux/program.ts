// Child programs: a list of steps, compiled to machine code that makes them one after another and stops at the first
// one that fails. It needs no stack, no libc and no JavaScript, so it can run where none of these can: in a child of
// clone(2) that shares its parent's memory (child.ts), or as an ELF program of its own (elf.ts).
import { encodeArm64 } from './arm64.ts';
import { MAP, PROT } from './constants.ts';
import { byteLength } from './describe.ts';
import { ERRNO } from './errno.ts';
import type { Instruction, Operand } from './instructions.ts';
import { EXIT_SLOT, FAILURE_SLOT, type Layout, ProgramData, START_TIME_SLOT } from './program-data.ts';
import { type Architecture, type Arg, isReference, type Ref, type Step, type Word } from './step.ts';
import { clockGettime, exitGroup, mmap } from './syscalls.ts';
import { encodeX64 } from './x64.ts';

/** Items between the steps of a program. */
export type Control =
  | { readonly control: 'label'; readonly name: string }
  | { readonly control: 'jump'; readonly to: string }
  /** Jumps to a label when the result of an earlier step is, or is not, a given value. */
  | {
      readonly control: 'when';
      readonly result: Ref | Word;
      readonly is: 'equal' | 'different';
      readonly value: number | Ref;
      readonly to: string;
    }
  /** Makes a clone step. The new process continues with the next item; the old process jumps to the label. */
  | { readonly control: 'fork'; readonly step: Step; readonly parent: string }
  /** Stops the program as failed; the step with the most specific errno is blamed. */
  | { readonly control: 'fail'; readonly blame: readonly Step[] }
  /** Ends the program with (status & mask) + plus, of which the kernel takes the lowest 8 bits. */
  | {
      readonly control: 'exit';
      readonly status: number | Word;
      readonly mask?: number;
      readonly plus?: number;
    };

export type Item = Step | Control;

export interface Program {
  readonly steps: readonly Step[];
  readonly code: Buffer;
  /** Slots, followed by the data that the arguments point to. */
  readonly data: Buffer;
  /** Address at which the code begins to run. */
  readonly dataAddress: number;
  /** Where the program leaves its results in its data. */
  readonly layout: Layout;
}

/** The exit status of a program that stopped at a step: Docker's for a container that could not be started. */
export const FAILED_STATUS = 125;

const FAILED = 'failed';
const CLOCK_MONOTONIC = 1;

interface CompileOptions {
  architecture: Architecture;
  dataAddress: number;
  trace?: boolean;
  dataFd?: number;
}

/**
 * Compiles a program for memory at `dataAddress`; the code itself may stand anywhere.
 * @param options.dataFd a descriptor from which the program first maps its data, shared with other processes
 *   that map it
 * @param options.trace records the time after every step, for Results.microseconds
 */
export function compile(items: readonly Item[], options: CompileOptions): Program {
  const { architecture, dataAddress, dataFd } = options;
  const steps = items.flatMap(stepsOf);
  const compiler = new Compiler(steps, options);
  for (const item of items) compiler.add(item);
  const { instructions, data } = compiler.finish(dataFd);
  const encode = architecture === 'x64' ? encodeX64 : encodeArm64;
  return { steps, code: encode(instructions), data: data.bytes(), dataAddress, layout: data.layout };
}

function stepsOf(item: Item): Step[] {
  if ('syscall' in item) return [item];
  return item.control === 'fork' ? [item.step] : [];
}

/** Turns items into instructions, in the order of the list. */
class Compiler {
  readonly #architecture: Architecture;
  readonly #trace: boolean;
  readonly #data: ProgramData;
  readonly #body: Instruction[] = [];
  /** Offsets of the time at which a parent returned from a fork, by the label at which it continues. */
  readonly #forkTimes = new Map<string, number>();
  /** Offset of the return time of the fork whose parent continues with the next step. */
  #resumed: number | undefined;

  constructor(steps: readonly Step[], { architecture, dataAddress, trace = false }: CompileOptions) {
    this.#architecture = architecture;
    this.#trace = trace;
    this.#data = new ProgramData(steps, { address: dataAddress, trace });
    if (trace) this.#takeTime(START_TIME_SLOT);
  }

  add(item: Item): void {
    if ('syscall' in item) this.#step(item);
    else if (item.control === 'label') this.#label(item.name);
    else if (item.control === 'jump') this.#body.push({ op: 'jump', to: item.to });
    else if (item.control === 'fork') this.#fork(item.step, item.parent);
    else if (item.control === 'exit') this.#exit(item);
    else if (item.control === 'fail') this.#fail(item.blame);
    else {
      this.#body.push(
        { op: 'load', value: this.#operand(item.result) },
        { op: 'branch', when: item.is, value: this.#operand(item.value), to: item.to },
      );
    }
  }

  finish(dataFd: number | undefined): { instructions: Instruction[]; data: ProgramData } {
    const end: Instruction[] = [
      this.#exitCall(0),
      { op: 'label', name: FAILED },
      { op: 'keepNote', slot: this.#data.addressOf(FAILURE_SLOT) },
      this.#exitCall(FAILED_STATUS),
    ];
    const begin = dataFd === undefined ? [] : [this.#mapData(dataFd)];
    return { instructions: [...begin, ...this.#body, ...end], data: this.#data };
  }

  #step(step: Step): void {
    if (this.#resumed !== undefined) this.#data.layout.resumes.set(step.key, this.#resumed);
    this.#resumed = undefined;
    this.#body.push(this.#call(step, this.#data.slotOf(step)));
    if (step.mayFail === undefined || step.expect !== undefined) this.#stopUnlessDone(step);
    else if (!step.mayFail.includes('*')) {
      const goOn = `after ${this.#nameOf(step)}`;
      for (const name of step.mayFail) {
        this.#body.push({ op: 'branch', when: 'equal', value: -ERRNO[name]!, to: goOn });
      }
      this.#stopUnlessDone(step);
      this.#body.push({ op: 'label', name: goOn });
    }
    this.#takeTimeAfter(step);
  }

  #fork(step: Step, parent: string): void {
    // The two processes may share this memory: only the parent keeps the result.
    const child = `child ${this.#nameOf(step)}`;
    this.#body.push(
      this.#call(step),
      { op: 'branch', when: 'equal', value: 0, to: child },
      { op: 'keep', slot: this.#data.slotOf(step) },
    );
    this.#stopUnlessDone(step);
    if (this.#trace) {
      const returned = this.#data.reserveTime();
      this.#forkTimes.set(parent, returned);
      this.#takeTime(returned);
    }
    this.#body.push({ op: 'jump', to: parent }, { op: 'label', name: child });
    this.#takeTimeAfter(step);
  }

  #label(name: string): void {
    this.#resumed = this.#forkTimes.get(name) ?? this.#resumed;
    this.#body.push({ op: 'label', name });
  }

  #exit({ status, mask, plus }: Control & { control: 'exit' }): void {
    const slot = this.#data.addressOf(EXIT_SLOT);
    this.#body.push({ op: 'load', value: this.#operand(status) });
    if (mask !== undefined) this.#body.push({ op: 'and', value: this.#operand(mask) });
    if (plus !== undefined) this.#body.push({ op: 'add', value: this.#operand(plus) });
    this.#body.push({ op: 'keep', slot }, this.#exitCall({ slot }));
  }

  #fail(blame: readonly Step[]): void {
    const number = this.#data.layout.failures.push(blame);
    this.#body.push({ op: 'note', number }, { op: 'jump', to: FAILED });
  }

  /** Ends the program when the result is an errno, or not the expected value. */
  #stopUnlessDone(step: Step): void {
    const number = this.#data.layout.failures.push([step]);
    if (step.expect === undefined) this.#body.push({ op: 'check', number, to: FAILED });
    else
      this.#body.push(
        { op: 'note', number },
        { op: 'branch', when: 'different', value: step.expect, to: FAILED },
      );
  }

  #takeTimeAfter(step: Step): void {
    if (this.#trace) this.#takeTime(this.#data.layout.times.get(step.key)!);
  }

  #takeTime(offset: number): void {
    const number = clockGettime.syscall.numbers[this.#architecture];
    const args = [CLOCK_MONOTONIC, this.#data.addressOf(offset)];
    this.#body.push({ op: 'syscall', number, args });
  }

  #exitCall(status: Operand): Instruction {
    return { op: 'syscall', number: exitGroup.syscall.numbers[this.#architecture], args: [status] };
  }

  /**
   * Maps the data. After a failure the next instruction causes SIGSEGV, since the program has no memory to
   * report it in.
   */
  #mapData(fd: number): Instruction {
    const address = this.#data.addressOf(0);
    const args = [address, this.#data.bytes().length, PROT.READ | PROT.WRITE, MAP.SHARED | MAP.FIXED, fd, 0];
    const number = mmap.syscall.numbers[this.#architecture];
    return { op: 'syscall', number, args };
  }

  /** @param slot the address at which the result is kept */
  #call(step: Step, slot?: number): Instruction {
    let next = 0;
    let previous: Arg = null;
    const args: Operand[] = [];
    for (const kind of step.syscall.kinds) {
      if (kind === 'length') args.push(byteLength(previous));
      else {
        previous = step.args[next++] ?? null;
        args.push(this.#operand(previous));
      }
    }
    const number = step.syscall.numbers[this.#architecture];
    return slot === undefined ? { op: 'syscall', number, args } : { op: 'syscall', number, args, slot };
  }

  #operand(arg: Arg): Operand {
    if (arg === null) return 0;
    if (typeof arg === 'number' || typeof arg === 'bigint') return arg;
    if (typeof arg === 'string' || arg instanceof Uint8Array || !isReference(arg))
      return this.#data.place(arg);
    if ('resultOf' in arg) return { slot: this.#data.slotOf(arg.resultOf) };
    if ('addressOfResultOf' in arg) return this.#data.slotOf(arg.addressOfResultOf);
    return { slot: this.#data.place(arg.wordIn) + arg.at };
  }

  /** A name for the labels of a step. */
  #nameOf(step: Step): string {
    return String(this.#data.layout.slots.get(step.key));
  }
}
