// The results that a child program leaves in its memory, read while the program runs or afterwards.

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

  /** Copies the present results, before the memory is unmapped. */
  detach(): void {
    this.#memory = Buffer.from(this.#memory.subarray(0, this.#program.data.length));
  }

  /** Result of a step: -errno when it failed, 0 when it was not reached. */
  of(step: Step): number {
    return Number(this.#memory.readBigInt64LE(this.#program.layout.slots.get(step.key)!));
  }

  /** Present content of a buffer that was an argument of a step. */
  buffer(buffer: Uint8Array): Buffer {
    const offset = this.#program.layout.buffers.get(buffer)!;
    return this.#memory.subarray(offset, offset + buffer.byteLength);
  }

  /**
   * The step that ended the program, its position counted from 1, and its errno (0 for an unexpected result).
   */
  failure(): { step: Step; position: number; errno: number } | undefined {
    const number = Number(this.#memory.readBigInt64LE(FAILURE_SLOT));
    if (number === 0) return undefined;
    // An errno other than ENOENT is the most specific: the file exists, but …
    const blame = [...this.#program.layout.failures[number - 1]!];
    const blamed =
      blame.find(candidate => this.of(candidate) < 0 && this.of(candidate) !== -ERRNO.ENOENT!) ?? blame[0]!;
    const result = this.of(blamed);
    const { steps } = this.#program;
    const index = steps.findIndex(({ key }) => key === blamed.key);
    return { step: steps[index]!, position: index + 1, errno: result < 0 ? -result : 0 };
  }

  /**
   * Duration of each step of a traced program; undefined for a step that was not reached or did not return.
   */
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
