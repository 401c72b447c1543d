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
  /** A `note`, and a jump when the result register holds an errno: -4095 to -1, as the kernel returns them. */
  | { readonly op: 'check'; readonly number: number; readonly to: string }
  /** Compares the result register. */
  | {
      readonly op: 'branch';
      readonly when: 'equal' | 'different';
      readonly value: Operand;
      readonly to: string;
    };

/** More bytes than any instruction becomes. */
const LONGEST = 256;

/**
 * Machine code under construction, with jumps to labels that are not placed yet. A command starts one container, and
 * V8 only interprets this code then: it makes few calls, and those are built into V8, which Buffer's methods are not.
 */
export class CodeBuffer {
  /** Memory that all code buffers share, which saves garbage: only one program is encoded at a time. */
  static #scratch = new DataView(new ArrayBuffer(65_536));
  /** Has room for the code of one more instruction. */
  view = CodeBuffer.#scratch;
  length = 0;
  /** Its length less the room that one instruction takes. */
  #enough = this.view.byteLength - LONGEST;
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; to: string }[] = [];

  /** To be called before each instruction. */
  makeRoom(): void {
    if (this.length <= this.#enough) return;
    const larger = new Uint8Array(this.view.byteLength * 2);
    larger.set(new Uint8Array(this.view.buffer));
    this.view = new DataView(larger.buffer);
    this.#enough = larger.length - LONGEST;
    CodeBuffer.#scratch = this.view;
  }

  /** Appends the lowest `size` bytes, at most 4, of a little-endian number. */
  put(bytes: number, size: number): void {
    this.view.setInt32(this.length, bytes, true);
    this.length += size;
  }

  /** The same, and 32 bits behind it. */
  putWithWord(bytes: number, size: number, word: number): void {
    const { view, length: at } = this;
    view.setInt32(at, bytes, true);
    view.setInt32(at + size, word, true);
    this.length = at + size + 4;
  }

  label(name: string): void {
    this.#labels.set(name, this.length);
  }

  /** Records that the displacement at `at` has to lead to a label. */
  jump(at: number, to: string): void {
    this.#jumps.push({ at, to });
  }

  /** A copy of the finished code. @param patch writes the distance from `at` to the label */
  finish(patch: (code: DataView, at: number, distance: number) => void): Buffer {
    for (const { at, to } of this.#jumps) {
      const target = this.#labels.get(to);
      if (target === undefined) throw new Error(`the program jumps to '${to}', which it does not have`);
      patch(this.view, at, target - at);
    }
    return Buffer.from(this.view.buffer.slice(0, this.length));
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
