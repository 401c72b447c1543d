// Random names and values: unpredictable for a submission, repeatable from a seed.
import { createHash } from 'node:crypto';

export interface Random {
  readonly seed: string;
  /** From `least` to `most`, both included. */
  integer(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  /** Lower-case letters. */
  word(length?: number): string;
  /** Picks each item with probability one half; at least one, and never all. */
  some<T>(items: readonly T[]): T[];
}

export function random(seed: string): Random {
  let drawn = 0;
  // A submission sees some values, and must not be able to compute the others from them.
  const next = (): number => {
    const digest = createHash('sha256').update(`${drawn++} ${seed}`).digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
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
