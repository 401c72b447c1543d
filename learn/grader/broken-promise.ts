// The first broken promise ends a task.

/** The report of a broken promise for the learner. */
export interface Broken {
  /** The name given to lab.promise(). */
  check: string;
  promised: string;
  seen: string;
  look: string;
  /** The first error on the program's stderr, and its exit code. */
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
