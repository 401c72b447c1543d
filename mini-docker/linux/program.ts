// Child programs: a list of steps, compiled to machine code that makes them one after another and stops at the first
// one that fails. It needs no stack, no libc and no JavaScript, so it can run where none of these can: in a child of
// clone(2) that shares its parent's memory (child.ts), or as an ELF program of its own (elf.ts).
import { encodeArm64 } from './arm64.ts';
import { MAP, PROT } from './constants.ts';
import { byteLength } from './describe.ts';
import { ERRNO } from './errno.ts';
import type { Instruction, Operand } from './instructions.ts';
import {
  type Architecture,
  type Arg,
  isLinked,
  isReference,
  type Linked,
  type Ref,
  type Step,
  type Word,
} from './step.ts';
import { clockGettime, exitGroup, mmap } from './syscalls.ts';
import { encodeX64 } from './x64.ts';

/** What stands between the steps of a program. */
export type Control =
  | { readonly control: 'label'; readonly name: string }
  | { readonly control: 'jump'; readonly to: string }
  /** Goes to a label when the result of an earlier step is, or is not, a value. */
  | {
      readonly control: 'when';
      readonly result: Ref | Word;
      readonly is: 'equal' | 'different';
      readonly value: number | Ref;
      readonly to: string;
    }
  /** Makes a clone step. The new process goes on with what follows; the old one goes to the label. */
  | { readonly control: 'fork'; readonly step: Step; readonly parent: string }
  /** Stops the program as failed; the step that is to blame is the one whose errno says most. */
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
  /** Slots first, then what the arguments point to. */
  readonly data: Buffer;
  /** Where the code begins to run. */
  readonly dataAddress: number;
  /** How what the program leaves in its data is to be read. */
  readonly layout: Layout;
}

interface Layout {
  slots: Map<number, number>;
  buffers: Map<Uint8Array, number>;
  /** For a traced program: where the time after each step is left. */
  times: Map<number, number>;
  /** Of the first step of a process that goes on after a fork: where the time of its return from the fork is left. */
  resumes: Map<number, number>;
  /** What the failure slot's number, counted from 1, says: the steps that may be to blame. */
  failures: (readonly Step[])[];
}

/** The exit status of a program that stopped at a step: Docker's for a container that could not be started. */
export const FAILED_STATUS = 125;

const FAILED = 'failed';
const FAILURE_SLOT = 0;
const START_TIME_SLOT = 1; // and 2: a struct timespec
const EXIT_SLOT = 3;
const FIRST_SLOT = 4;
const SLOT_SIZE = 8;
const CLOCK_MONOTONIC = 1;

/**
 * Compiles a program for memory at `dataAddress`; the code itself may stand anywhere.
 * @param options.dataFd the program begins with mapping its data from this descriptor, and shares it with who else does
 * @param options.trace leaves the time after every step, for Results.microseconds
 */
export function compile(
  items: readonly Item[],
  options: { architecture: Architecture; dataAddress: number; trace?: boolean; dataFd?: number },
): Program {
  const { architecture, dataAddress, trace = false, dataFd } = options;
  const steps = items.flatMap(stepsOf);
  const layout: Layout = {
    slots: new Map(),
    buffers: new Map(),
    times: new Map(),
    resumes: new Map(),
    failures: [],
  };
  const memory = new Memory(dataAddress);
  memory.reserve((FIRST_SLOT + steps.length) * SLOT_SIZE);
  steps.forEach((step, index) => {
    layout.slots.set(step.key, (FIRST_SLOT + index) * SLOT_SIZE);
    if (trace) layout.times.set(step.key, memory.reserve(16));
  });

  const body: Instruction[] = [];

  const slotOf = (step: Step): number => {
    const slot = layout.slots.get(step.key);
    if (slot !== undefined) return dataAddress + slot;
    throw new Error(`the program uses the result of ${step.syscall.name}, which it does not make`);
  };
  const operand = (arg: Arg): Operand => {
    if (arg === null) return { immediate: 0 };
    if (typeof arg === 'number' || typeof arg === 'bigint') return { immediate: arg };
    if (isReference(arg)) {
      if ('resultOf' in arg) return { slot: slotOf(arg.resultOf) };
      if ('addressOfResultOf' in arg) return { immediate: slotOf(arg.addressOfResultOf) };
      return { slot: memory.place(arg.wordIn, layout.buffers) + arg.at };
    }
    return { immediate: memory.place(arg, layout.buffers) };
  };
  const makeCall = (step: Step): Instruction => ({
    op: 'syscall',
    number: step.syscall.numbers[architecture],
    args: operandsOf(step, operand),
  });
  /** Ends the program where the result is an errno, or is not the one that is expected. */
  const stopUnlessDone = (step: Step): void => {
    body.push({ op: 'note', number: layout.failures.push([step]) });
    if (step.expect === undefined) body.push({ op: 'branch', when: 'failed', to: FAILED });
    else body.push({ op: 'branch', when: 'different', value: { immediate: step.expect }, to: FAILED });
  };
  const takeTime = (at: number): Instruction => ({
    op: 'syscall',
    number: clockGettime.syscall.numbers[architecture],
    args: [{ immediate: CLOCK_MONOTONIC }, { immediate: dataAddress + at }],
  });
  const exit = (status: Operand): Instruction => ({
    op: 'syscall',
    number: exitGroup.syscall.numbers[architecture],
    args: [status],
  });
  const takeTimeAfter = (step: Step): void => {
    if (trace) body.push(takeTime(layout.times.get(step.key)!));
  };
  const addStep = (step: Step): void => {
    body.push(makeCall(step), { op: 'keep', slot: slotOf(step) });
    if (step.mayFail === undefined || step.expect !== undefined) stopUnlessDone(step);
    else if (!step.mayFail.includes('*')) {
      const goOn = `after ${layout.slots.get(step.key)}`;
      for (const name of step.mayFail) {
        body.push({ op: 'branch', when: 'equal', value: { immediate: -ERRNO[name]! }, to: goOn });
      }
      stopUnlessDone(step);
      body.push({ op: 'label', name: goOn });
    }
    takeTimeAfter(step);
  };
  const forkTimes = new Map<string, number>();
  const forkTime = (parent: string): number => {
    const offset = memory.reserve(16);
    forkTimes.set(parent, offset);
    return offset;
  };
  const addFork = (step: Step, parent: string): void => {
    // The two processes may share this memory: only the parent keeps the result.
    const child = `child ${layout.slots.get(step.key)}`;
    body.push(
      makeCall(step),
      { op: 'branch', when: 'equal', value: { immediate: 0 }, to: child },
      { op: 'keep', slot: slotOf(step) },
    );
    stopUnlessDone(step);
    if (trace) body.push(takeTime(forkTime(parent)));
    body.push({ op: 'jump', to: parent }, { op: 'label', name: child });
    takeTimeAfter(step);
  };

  /** Where this fails, the next instruction ends the program with SIGSEGV: there is no memory to say it in. */
  const mapData = (size: number, fd: number): Instruction => ({
    op: 'syscall',
    number: mmap.syscall.numbers[architecture],
    args: [dataAddress, size, PROT.READ | PROT.WRITE, MAP.SHARED | MAP.FIXED, fd, 0].map(operand),
  });

  if (trace) body.push(takeTime(START_TIME_SLOT * SLOT_SIZE));
  let resumed: number | undefined;
  for (const item of items) {
    if ('control' in item && item.control === 'label') resumed = forkTimes.get(item.name) ?? resumed;
    if ('syscall' in item && resumed !== undefined) {
      layout.resumes.set(item.key, resumed);
      resumed = undefined;
    }
    if ('syscall' in item) addStep(item);
    else if (item.control === 'label') body.push({ op: 'label', name: item.name });
    else if (item.control === 'jump') body.push({ op: 'jump', to: item.to });
    else if (item.control === 'fork') addFork(item.step, item.parent);
    else if (item.control === 'exit') {
      const slot = dataAddress + EXIT_SLOT * SLOT_SIZE;
      body.push({ op: 'load', value: operand(item.status) });
      if (item.mask !== undefined) body.push({ op: 'and', value: operand(item.mask) });
      if (item.plus !== undefined) body.push({ op: 'add', value: operand(item.plus) });
      body.push({ op: 'keep', slot }, exit({ slot }));
    } else if (item.control === 'fail') {
      body.push({ op: 'note', number: layout.failures.push(item.blame) }, { op: 'jump', to: FAILED });
    } else {
      const { result, is, value, to } = item;
      body.push(
        { op: 'load', value: operand(result) },
        { op: 'branch', when: is, value: operand(value), to },
      );
    }
  }

  const end: Instruction[] = [
    exit({ immediate: 0 }),
    { op: 'label', name: FAILED },
    { op: 'keepNote', slot: dataAddress + FAILURE_SLOT * SLOT_SIZE },
    exit({ immediate: FAILED_STATUS }),
  ];
  const data = memory.bytes();
  const begin = dataFd === undefined ? [] : [mapData(data.length, dataFd)];
  const encode = architecture === 'x64' ? encodeX64 : encodeArm64;
  return { steps, code: encode([...begin, ...body, ...end]), data, dataAddress, layout };
}

function stepsOf(item: Item): Step[] {
  if ('syscall' in item) return [item];
  return item.control === 'fork' ? [item.step] : [];
}

function operandsOf(step: Step, operand: (arg: Arg) => Operand): Operand[] {
  let next = 0;
  let previous: Arg = null;
  return step.syscall.kinds.map(kind => {
    if (kind === 'length') return { immediate: byteLength(previous) };
    previous = step.args[next++] ?? null;
    return operand(previous);
  });
}

/** The program's data: grows while arguments are placed in it, and knows the address it will have. */
class Memory {
  #bytes = Buffer.alloc(16_384);
  #length = 0;
  readonly #strings = new Map<string, number>();
  readonly #address: number;

  constructor(address: number) {
    this.#address = address;
  }

  /** @returns the offset of so many bytes of zero, at a multiple of 8 */
  reserve(size: number): number {
    const offset = (this.#length + 7) & ~7;
    this.#length = offset + size;
    while (this.#length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    return offset;
  }

  /** @returns the address of what an argument points to */
  place(arg: string | readonly string[] | Uint8Array | Linked, buffers: Map<Uint8Array, number>): number {
    if (typeof arg === 'string') return this.#address + this.#string(arg);
    if (isLinked(arg)) {
      const address = this.place(arg.bytes, buffers);
      for (const { at, to } of arg.pointers) {
        // First, since placing may move the bytes.
        const target = BigInt(this.place(to, buffers));
        this.#bytes.writeBigUInt64LE(target, address - this.#address + at);
      }
      return address;
    }
    if (arg instanceof Uint8Array) {
      const known = buffers.get(arg);
      if (known !== undefined) return this.#address + known;
      const offset = this.reserve(arg.byteLength);
      this.#bytes.set(arg, offset);
      buffers.set(arg, offset);
      return this.#address + offset;
    }
    const strings = arg.map(word => this.#string(word));
    const table = this.reserve((strings.length + 1) * 8);
    strings.forEach((offset, index) => {
      this.#bytes.writeBigUInt64LE(BigInt(this.#address + offset), table + index * 8);
    });
    return this.#address + table;
  }

  #string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0'))
      throw new TypeError(`a string for the kernel must not contain a NUL byte: ${JSON.stringify(text)}`);
    const offset = this.reserve(Buffer.byteLength(text) + 1);
    this.#bytes.write(text, offset);
    this.#strings.set(text, offset);
    return offset;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads what a program has left in its memory, while it runs or after. */
export class Results {
  readonly #program: Program;
  #memory: Buffer;

  /** @param memory begins with the program's data */
  constructor(program: Program, memory: Buffer) {
    this.#program = program;
    this.#memory = memory;
  }

  /** Keeps what there is now, before the memory is given back. */
  detach(): void {
    this.#memory = Buffer.from(this.#memory.subarray(0, this.#program.data.length));
  }

  /** A step's result: -errno where it failed, 0 where it was not reached. */
  of(step: Step): number {
    return Number(this.#memory.readBigInt64LE(this.#program.layout.slots.get(step.key)!));
  }

  /** What a buffer that the steps were given holds now. */
  buffer(buffer: Uint8Array): Buffer {
    const offset = this.#program.layout.buffers.get(buffer)!;
    return this.#memory.subarray(offset, offset + buffer.byteLength);
  }

  /** The step that ended the program, its place in the list counted from 1, and its errno (0: an unexpected result). */
  failure(): { step: Step; position: number; errno: number } | undefined {
    const number = Number(this.#memory.readBigInt64LE(FAILURE_SLOT * SLOT_SIZE));
    if (number === 0) return undefined;
    // An errno other than ENOENT says most: the file was there, but …
    const blame = [...this.#program.layout.failures[number - 1]!];
    const step =
      blame.find(candidate => this.of(candidate) < 0 && this.of(candidate) !== -ERRNO.ENOENT!) ?? blame[0]!;
    const result = this.of(step);
    return {
      step,
      position: this.#program.steps.findIndex(({ key }) => key === step.key) + 1,
      errno: result < 0 ? -result : 0,
    };
  }

  /** How long each step of a traced program took; undefined for one that was not reached, or did not come back. */
  microseconds(): (number | undefined)[] {
    const { times, resumes } = this.#program.layout;
    const timeOf = (key: number): number => this.#time(times.get(key)!);
    let before = this.#time(START_TIME_SLOT * SLOT_SIZE);
    return this.#program.steps.map(({ key }) => {
      const resumed = resumes.get(key);
      if (resumed !== undefined) before = this.#time(resumed);
      const after = timeOf(key);
      if (after === 0) return undefined;
      const took = after - before;
      before = after;
      return took;
    });
  }

  #time(offset: number): number {
    const seconds = Number(this.#memory.readBigInt64LE(offset));
    return seconds * 1e6 + Number(this.#memory.readBigInt64LE(offset + 8)) / 1e3;
  }
}
