// The few operations that programs consist of, between steps (program.ts) and machine code (x64.ts,
// arm64.ts). A program has no stack and hardly uses registers: every result is kept in a slot, 8 bytes of the
// program's memory.

export type Operand =
  | number
  | bigint
  /** The content of the slot at this address. */
  | { readonly slot: number };

export type Instruction =
  /**
   * Makes a system call; its result stays in the result register, and in the slot at `slot` where one is
   * given.
   */
  | {
      readonly op: 'syscall';
      readonly number: number;
      readonly args: readonly Operand[];
      readonly slot?: number;
    }
  /** Stores the result register in a slot. */
  | { readonly op: 'keep'; readonly slot: number }
  /** Loads a number into a register that no system call changes. */
  | { readonly op: 'note'; readonly number: number }
  /** Stores the number of the last `note` in a slot. */
  | { readonly op: 'keepNote'; readonly slot: number }
  | { readonly op: 'load'; readonly value: Operand }
  /** Changes the result register. */
  | { readonly op: 'add' | 'and'; readonly value: Operand }
  | { readonly op: 'label'; readonly name: string }
  | { readonly op: 'jump'; readonly to: string }
  /** Compares the result register: `failed` is -4095 to -1, as the kernel returns errnos. */
  | { readonly op: 'branch'; readonly when: 'failed'; readonly to: string }
  | {
      readonly op: 'branch';
      readonly when: 'equal' | 'different';
      readonly value: Operand;
      readonly to: string;
    };

/**
 * Machine code under construction, with jumps to labels that are not placed yet. A command starts one container,
 * and runs this code before V8 has optimized it: it uses no methods of Buffer, which are JavaScript, and few calls.
 */
export class CodeBuffer {
  /** Memory that all code buffers share, which saves garbage: only one program is encoded at a time. */
  static #scratch = Buffer.alloc(65_536);
  #bytes = CodeBuffer.#scratch;
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  length = 0;
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; to: string }[] = [];

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow();
    this.#bytes[this.length++] = value;
  }

  /** Appends a byte and 32 bits, little-endian. */
  byteAndWord32(value: number, word: number): void {
    if (this.length + 5 > this.#bytes.length) this.#grow();
    const bytes = this.#bytes;
    const at = this.length;
    // The elements of a Uint8Array keep the lowest 8 bits.
    bytes[at] = value;
    bytes[at + 1] = word;
    bytes[at + 2] = word >> 8;
    bytes[at + 3] = word >> 16;
    bytes[at + 4] = word >> 24;
    this.length = at + 5;
  }

  bytes(first: number, second: number, third: number): void {
    this.byte(first);
    this.byte(second);
    this.byte(third);
  }

  /** Appends 32 bits, little-endian. */
  word32(value: number): void {
    if (this.length + 4 > this.#bytes.length) this.#grow();
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  #grow(): void {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    CodeBuffer.#scratch = this.#bytes;
  }

  label(name: string): void {
    this.#labels.set(name, this.length);
  }

  /** Records that the displacement at `at` has to lead to a label. */
  jump(at: number, to: string): void {
    this.#jumps.push({ at, to });
  }

  /** A copy of the finished code. @param patch writes the distance from `at` to the label */
  finish(patch: (code: Buffer, at: number, distance: number) => void): Buffer {
    for (const { at, to } of this.#jumps) {
      const target = this.#labels.get(to);
      if (target === undefined) throw new Error(`the program jumps to '${to}', which it does not have`);
      patch(this.#bytes, at, target - at);
    }
    return Buffer.from(this.#bytes.subarray(0, this.length));
  }
}

/** The lower 32 bits of a 64-bit value, unsigned. Negative numbers are two's complement. */
export function lowHalf(value: number | bigint): number {
  return typeof value === 'number' ? value >>> 0 : Number(BigInt.asUintN(32, value));
}

/** The upper 32 bits. A number beyond 2^53 is not exact, and has to be a bigint. */
export function highHalf(value: number | bigint): number {
  return typeof value === 'number'
    ? Math.floor(value / 0x1_0000_0000) >>> 0
    : Number(BigInt.asUintN(64, value) >> 32n);
}
