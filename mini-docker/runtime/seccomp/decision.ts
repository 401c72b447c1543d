// A filter's decisions as a graph: questions about a system call's data, each with two successors, and
// verdicts at the ends. Equal parts are shared, so that neighbouring system calls can share one range and one
// verdict.

/** Offsets in struct seccomp_data, little-endian. <linux/seccomp.h> */
export const DATA = {
  nr: 0,
  arch: 4,
  low: (argument: number) => 16 + 8 * argument,
  high: (argument: number) => 20 + 8 * argument,
} as const;

export type Node = Verdict | Question;

export interface Verdict {
  readonly id: number;
  /** SECCOMP_RET_*, combined with its data. */
  readonly verdict: number;
}

/** Compares the unsigned 32 bits at an offset of the data. */
export interface Question {
  readonly id: number;
  readonly at: number;
  /** Bits to compare; all when missing. */
  readonly mask?: number;
  readonly is: 'equal' | 'above' | 'atLeast';
  readonly value: number;
  readonly yes: Node;
  readonly no: Node;
}

export class Decisions {
  readonly #known = new Map<string, Node>();

  verdict(verdict: number): Node {
    return this.#once(`${verdict}`, id => ({ id, verdict }));
  }

  ask(question: Omit<Question, 'id'>): Node {
    const { at, mask, is, value, yes, no } = question;
    if (yes === no) return yes;
    return this.#once(`${at} ${mask} ${is} ${value} ${yes.id} ${no.id}`, id => ({ id, ...question }));
  }

  #once(key: string, make: (id: number) => Node): Node {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make(this.#known.size);
    this.#known.set(key, made);
    return made;
  }
}

/** A node for all numbers from `from` up to the beginning of the next range. */
export interface Range {
  from: number;
  node: Node;
}

/**
 * Finds the range of the number at an offset by binary search; neighbours with the same decision are merged
 * first.
 */
export function search(decisions: Decisions, at: number, all: readonly Range[]): Node {
  const ranges = all.filter(({ node }, index) => node !== all[index - 1]?.node);
  const between = (first: number, end: number): Node => {
    const { from, node } = ranges[first]!;
    if (end - first === 1) return node;
    const last = ranges[first + 2];
    if (end - first === 3 && node === last!.node && last!.from === ranges[first + 1]!.from + 1) {
      const single = ranges[first + 1]!;
      return decisions.ask({ at, is: 'equal', value: single.from, yes: single.node, no: node });
    }
    const middle = first + Math.ceil((end - first) / 2);
    return decisions.ask({
      at,
      is: 'atLeast',
      value: ranges[middle]?.from ?? from,
      yes: between(middle, end),
      no: between(first, middle),
    });
  };
  return between(0, ranges.length);
}
