/** A build that cannot go on. One clear line in `message`. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  /** The exit code of the command that failed. */
  readonly code: number | undefined;

  constructor(message: string, options: { code?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
  }
}
