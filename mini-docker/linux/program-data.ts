// The memory of a child program: a slot for each step's result, and the data that the steps' arguments point
// to.

import { isLinked, type Linked, type Step } from './step.ts';

/** Offset of the failure slot from the beginning of the data. */
export const FAILURE_SLOT = 0;
/** Offset of a struct timespec. */
export const START_TIME_SLOT = 8;
export const EXIT_SLOT = 24;
const FIRST_SLOT = 32;
const SLOT_SIZE = 8;
const TIMESPEC_SIZE = 16;

/** Where a program leaves its results in its data: offsets in bytes from the beginning of the data. */
export interface Layout {
  /** Offset of each step's result, by the step's key. */
  slots: Map<number, number>;
  buffers: Map<Uint8Array, number>;
  /** Offset of the time after each step of a traced program. */
  times: Map<number, number>;
  /** Offset of the time at which a process returned from a fork, for its first step after that fork. */
  resumes: Map<number, number>;
  /** Steps that may have caused a failure, at the position that the failure slot holds, counted from 1. */
  failures: (readonly Step[])[];
}

/**
 * Data under construction: it grows as arguments are placed in it, for an address that is known in advance.
 */
export class ProgramData {
  readonly layout: Layout = {
    slots: new Map(),
    buffers: new Map(),
    times: new Map(),
    resumes: new Map(),
    failures: [],
  };
  readonly #address: number;
  #bytes = Buffer.alloc(16_384);
  #length = 0;
  readonly #strings = new Map<string, number>();

  /** @param options.trace reserves space for the time after each step */
  constructor(steps: readonly Step[], options: { address: number; trace: boolean }) {
    this.#address = options.address;
    this.#reserve(FIRST_SLOT + steps.length * SLOT_SIZE);
    let slot = FIRST_SLOT;
    for (const step of steps) {
      this.layout.slots.set(step.key, slot);
      slot += SLOT_SIZE;
      if (options.trace) this.layout.times.set(step.key, this.reserveTime());
    }
  }

  /** @returns the address of a step's result */
  slotOf(step: Step): number {
    const slot = this.layout.slots.get(step.key);
    if (slot !== undefined) return this.addressOf(slot);
    throw new Error(`the program uses the result of ${step.syscall.name}, which it does not make`);
  }

  addressOf(offset: number): number {
    return this.#address + offset;
  }

  /** @returns the offset of a struct timespec */
  reserveTime(): number {
    return this.#reserve(TIMESPEC_SIZE);
  }

  /** @returns the offset of `size` zero bytes, a multiple of 8 */
  #reserve(size: number): number {
    const offset = (this.#length + 7) & ~7;
    this.#length = offset + size;
    while (this.#length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    return offset;
  }

  /** @returns the address of the data that an argument points to */
  place(arg: string | readonly string[] | Uint8Array | Linked): number {
    const { buffers } = this.layout;
    if (typeof arg === 'string') return this.#address + this.#string(arg);
    if (isLinked(arg)) {
      const address = this.place(arg.bytes);
      for (const { at, to } of arg.pointers) {
        // Placed first, because placing data may move the bytes.
        const target = BigInt(this.place(to));
        this.#bytes.writeBigUInt64LE(target, address - this.#address + at);
      }
      return address;
    }
    if (arg instanceof Uint8Array) {
      const known = buffers.get(arg);
      if (known !== undefined) return this.#address + known;
      const offset = this.#reserve(arg.byteLength);
      this.#bytes.set(arg, offset);
      buffers.set(arg, offset);
      return this.#address + offset;
    }
    const strings = arg.map(word => this.#string(word));
    const table = this.#reserve((strings.length + 1) * 8);
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
    // At most three bytes a unit of UTF-16; what the text does not take is given back.
    const offset = this.#reserve(text.length * 3 + 1);
    this.#length = offset + this.#bytes.write(text, offset) + 1;
    this.#strings.set(text, offset);
    return offset;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
