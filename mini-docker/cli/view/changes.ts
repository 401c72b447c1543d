// What has changed between looks: a thing stays lit for a while after it came, or says something else.

/** Milliseconds for which a changed thing stays lit. */
const LIT_FOR = 5000;

/** By key: what it said, and when it began to say so. */
export type Seen = ReadonlyMap<string, { said: string; since: number }>;

export interface Watch {
  /** What was asked about at this look. */
  seen: Seen;
  /** Whether it has changed a moment ago. */
  isLit(key: string, said: string): boolean;
}

/** @param before the last look's; empty at the first, when nothing is new */
export function watchAt(at: number, before: Seen): Watch {
  const seen = new Map<string, { said: string; since: number }>();
  return {
    seen,
    isLit(key, said) {
      const known = before.get(key);
      const since = known?.said === said ? known.since : before.size === 0 ? Number.NEGATIVE_INFINITY : at;
      seen.set(key, { said, since });
      return at - since < LIT_FOR;
    },
  };
}
