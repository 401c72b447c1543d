// What a child program has left in its memory, read while it runs or after.

import { ERRNO } from './errno.ts';
import type { Program } from './program.ts';
import { FAILURE_SLOT, START_TIME_SLOT } from './program-data.ts';
import type { Step } from './step.ts';

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
    const number = Number(this.#memory.readBigInt64LE(FAILURE_SLOT));
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
    let before = this.#time(START_TIME_SLOT);
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
