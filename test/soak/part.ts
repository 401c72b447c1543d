// One part of the soak: something that is done very often, and must leave and lose nothing.
export interface PartOptions {
  seed: number;
  /** How much of it is done: containers, seconds, rounds; each part says what. */
  amount: number;
  /** Milliseconds that a daemon is given to become idle before its memory is judged; 0: it is not. */
  idle: number;
  /** Receives a line of figures or of progress. */
  say(line: string): void;
}

/** @returns one line for each finding */
export type Part = (options: PartOptions) => Promise<string[]>;
