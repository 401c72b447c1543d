import { readdirSync } from 'node:fs';

/** The processes that /proc shows: those of its pid namespace. Any of them may end at any moment. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);
}
