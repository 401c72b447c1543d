// What ends a task: the first of its promises that does not hold.

/** What a broken promise says to the learner. */
export interface Broken {
  /** The name that lab.promise() was given. */
  check: string;
  promised: string;
  seen: string;
  look: string;
  /** The first error that the program wrote on stderr, and how it ended. */
  said?: string;
}

export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';
  readonly broken: Broken;

  constructor(broken: Broken) {
    super(`${broken.check}: ${broken.seen}`);
    this.broken = broken;
  }
}
