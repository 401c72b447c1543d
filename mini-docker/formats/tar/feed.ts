// Passes bytes that arrive in pieces of any size to a parser. The parser is a generator: it yields the number of bytes
// that it wants next, and receives them.

export interface Wanted {
  bytes: number;
  /** Whether fewer bytes suffice: those that have arrived, but at least one. */
  partial?: boolean;
  /** Whether the input may end before these bytes. */
  optional?: boolean;
}

/** The bytes it receives are valid until it yields again. */
export type Parser<Result> = Generator<Wanted, Result, Buffer>;

const NOTHING = Buffer.alloc(0);

export class Feed {
  readonly #parser: Parser<void>;
  #wanted: Wanted | undefined;
  /** Pieces collected so far of the bytes that the parser wants. */
  #collected: Buffer[] = [];
  #have = 0;

  constructor(parser: Parser<void>) {
    this.#parser = parser;
    this.#next(NOTHING);
  }

  /**
   * Feeds bytes to the parser. `chunk` is not kept afterwards. Bytes after the end of the parser are ignored.
   */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < bytes.length && this.#wanted !== undefined; ) {
      const piece = bytes.subarray(at, at + this.#wanted.bytes - this.#have);
      at += piece.length;
      if (this.#wanted.partial) this.#next(piece);
      else this.#collect(piece, this.#wanted.bytes);
    }
  }

  /** Whether the input may end here. */
  get mayEnd(): boolean {
    return this.#wanted === undefined || (this.#wanted.optional === true && this.#have === 0);
  }

  #collect(piece: Buffer, wanted: number): void {
    this.#have += piece.length;
    const isWhole = this.#have === wanted;
    // Complete parts are consumed immediately; only a remainder must outlive the caller's buffer.
    this.#collected.push(isWhole ? piece : Buffer.from(piece));
    if (!isWhole) return;
    const whole = this.#collected.length === 1 ? this.#collected[0]! : Buffer.concat(this.#collected);
    this.#collected = [];
    this.#have = 0;
    this.#next(whole);
  }

  #next(bytes: Buffer): void {
    let next = this.#parser.next(bytes);
    while (!next.done && next.value.bytes === 0) next = this.#parser.next(NOTHING);
    this.#wanted = next.done ? undefined : next.value;
  }
}
