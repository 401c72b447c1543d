// Chance that can be repeated: the same seed gives the same cases.

export interface Random {
  /** From 0 to `below` - 1. */
  integer(below: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** mulberry32, by Tommy Ettinger: 32 bits of state are enough to choose test cases. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number) => Math.floor(next() * below);
  return {
    integer,
    chance: probability => next() < probability,
    pick: from => from[integer(from.length)]!,
    bytes: length => Buffer.from(Array.from({ length }, () => integer(256))),
  };
}

const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e99,
  2 ** 53,
  '',
  ' ',
  '\0',
  '../../etc',
  '%00',
  'a'.repeat(5000),
  '\ud800',
  '💣',
  [],
  {},
  [null],
  [[]],
  [{}],
  { '': null },
  { __proto__: null, constructor: 1 },
  { a: { a: { a: {} } } },
];

/** The value with something in it replaced, dropped or doubled. */
export function mutated(value: unknown, random: Random): unknown {
  if (random.chance(0.15)) return random.pick(STRANGE);
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.2)) return [...value, random.pick(STRANGE)];
    const at = random.integer(value.length);
    return value.map((each, index) => (index === at ? mutated(each, random) : each));
  }
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value);
    if (keys.length === 0) return random.pick(STRANGE);
    const key = random.pick(keys);
    const copy: Record<string, unknown> = { ...value };
    if (random.chance(0.1)) delete copy[key];
    else copy[key] = mutated(copy[key], random);
    return copy;
  }
  return random.pick(STRANGE);
}

/** The bytes with some of them changed, cut off, doubled or put elsewhere. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let times = random.integer(4); times >= 0; times--) {
    const at = random.integer(result.length || 1);
    const piece = result.subarray(at, at + random.integer(600));
    const changes: (() => Buffer)[] = [
      () => Buffer.concat([result.subarray(0, at), random.bytes(1), result.subarray(at + 1)]),
      () => result.subarray(0, at),
      () => Buffer.concat([result.subarray(0, at), piece, result.subarray(at)]),
      () => Buffer.concat([result.subarray(0, at), result.subarray(at + piece.length)]),
      () =>
        Buffer.concat([
          result.subarray(0, at),
          Buffer.alloc(piece.length),
          result.subarray(at + piece.length),
        ]),
    ];
    result = Buffer.from(random.pick(changes)());
  }
  return result;
}
