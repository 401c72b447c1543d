// Names and values that nobody can know beforehand, and that a seed brings back.
export interface Random {
  readonly seed: string;
  /** From `least` to `most`, both possible. */
  integer(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  /** Lower-case letters. */
  word(length?: number): string;
  /** Each with a chance of one half; at least one, and not all. */
  some<T>(items: readonly T[]): T[];
}

export function random(seed: string): Random {
  let state = hash(seed);
  // mulberry32: 32 bits of state suffice for names.
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  const pick = <T>(items: readonly T[]): T => items[integer(0, items.length - 1)]!;
  return {
    seed,
    integer,
    pick,
    word: (length = 8) => Array.from({ length }, () => String.fromCharCode(integer(97, 122))).join(''),
    some: items => {
      for (;;) {
        const chosen = items.filter(() => next() < 0.5);
        if (chosen.length > 0 && chosen.length < items.length) return chosen;
      }
    },
  };
}

/** FNV-1a */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x0100_0193) >>> 0;
  return value;
}
