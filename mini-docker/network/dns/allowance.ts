// Limits the number of queries that containers may send: one thread answers them all, and serves the API,
// too. Containers that sent queries in the last tenth of a second share the limit.

import { setTimeout as sleep } from 'node:timers/promises';

const WINDOW_MS = 100;
/**
 * Queries of all containers together in one window; the minimum for each container, however many there are.
 */
const QUESTIONS = 600;
const LEAST = 20;

/** The allowance of one container. */
export interface Allowance {
  /** Whether one more query is answered now. */
  take(): boolean;
  /** Resolves when one more query may be answered. */
  turn(): Promise<void>;
}

/** @param now time in milliseconds */
export function createAllowances(now: () => number = () => performance.now()): () => Allowance {
  let window = 0;
  const asked = new Map<symbol, number>();
  let share = QUESTIONS;
  const begin = (current: number): void => {
    if (current === window) return;
    window = current;
    share = Math.max(LEAST, QUESTIONS / Math.max(1, asked.size));
    asked.clear();
  };
  return () => {
    const container = Symbol();
    const take = (): boolean => {
      begin(Math.floor(now() / WINDOW_MS));
      const before = asked.get(container) ?? 0;
      if (before < share) asked.set(container, before + 1);
      return before < share;
    };
    return {
      take,
      async turn() {
        while (!take()) await sleep(WINDOW_MS - (now() % WINDOW_MS));
      },
    };
  };
}
