// How many questions containers may ask: all are answered by one thread, which serves the API, too. Those who have asked
// in the last tenth of a second share what there is.

const WINDOW_MS = 100;
/** Of all containers together, in one window, and what each of them may ask however many they are. */
const QUESTIONS = 600;
const LEAST = 20;

/** One container's. */
export interface Allowance {
  /** Whether one more question is answered now. */
  take(): boolean;
  /** Resolves when one more question is answered. */
  turn(): Promise<void>;
}

/** @param now in milliseconds */
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
        while (!take()) await new Promise(resolve => setTimeout(resolve, WINDOW_MS - (now() % WINDOW_MS)));
      },
    };
  };
}
