// How many questions a container may ask: all containers are answered by one thread, which serves the API, too.

const WINDOW_MS = 100;
const QUESTIONS = 300;

export interface Allowance {
  /** Whether one more question is answered now. */
  take(): boolean;
  /** Resolves when one more question is answered. */
  turn(): Promise<void>;
}

/** @param now in milliseconds */
export function createAllowance(now: () => number = () => performance.now()): Allowance {
  let window = 0;
  let asked = 0;
  const take = (): boolean => {
    const current = Math.floor(now() / WINDOW_MS);
    if (current !== window) asked = 0;
    window = current;
    return asked < QUESTIONS && ++asked > 0;
  };
  return {
    take,
    async turn() {
      while (!take()) await new Promise(resolve => setTimeout(resolve, WINDOW_MS - (now() % WINDOW_MS)));
    },
  };
}
