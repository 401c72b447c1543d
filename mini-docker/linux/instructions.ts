// The few operations that programs are made of, between steps (program.ts) and machine code (x64.ts, arm64.ts).
// A program has no stack and no registers to speak of: every result stands in a slot, 8 bytes of its memory.

export type Operand =
  | { readonly immediate: number | bigint }
  /** What stands in the slot at this address. */
  | { readonly slot: number };

export type Instruction =
  /** Makes a system call; its result stays in the result register, and in the slot at `slot` if there is one. */
  | {
      readonly op: 'syscall';
      readonly number: number;
      readonly args: readonly Operand[];
      readonly slot?: number;
    }
  | { readonly op: 'store'; readonly slot: number; readonly value: Operand }
  /** The result register into a slot. */
  | { readonly op: 'keep'; readonly slot: number }
  | { readonly op: 'load'; readonly value: Operand }
  /** To the result register. */
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

/** A growing piece of machine code with jumps that wait for their label. */
export class CodeBuffer {
  #bytes = Buffer.alloc(8192);
  #length = 0;
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; to: string }[] = [];

  get length(): number {
    return this.#length;
  }

  byte(...values: number[]): void {
    this.#room(values.length);
    for (const value of values) this.#bytes[this.#length++] = value;
  }

  word32(value: number): void {
    this.#room(4);
    this.#length = this.#bytes.writeInt32LE(value | 0, this.#length);
  }

  label(name: string): void {
    this.#labels.set(name, this.#length);
  }

  /** Remembers that the instruction's displacement at `at` belongs to a label. */
  jump(at: number, to: string): void {
    this.#jumps.push({ at, to });
  }

  /** @param patch writes the distance from `at` to the label */
  finish(patch: (code: Buffer, at: number, distance: number) => void): Buffer {
    for (const { at, to } of this.#jumps) {
      const target = this.#labels.get(to);
      if (target === undefined) throw new Error(`the program jumps to '${to}', which it does not have`);
      patch(this.#bytes, at, target - at);
    }
    return this.#bytes.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
  }
}

/** A 64-bit value as two unsigned halves, and whether it is negative. Negative numbers are two's complement. */
export function halves(value: number | bigint): { low: number; high: number } {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return { low: value >>> 0, high: Math.floor(value / 0x1_0000_0000) >>> 0 };
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  return { low: Number(bits & 0xffff_ffffn), high: Number(bits >> 32n) };
}
