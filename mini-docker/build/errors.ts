import { type ErrorDetails, ExpectedError } from '../formats/errors.ts';

/** A build that cannot continue. `exitCode` is that of the command that failed. */
export class BuildError extends ExpectedError {
  override name = 'BuildError';

  constructor(message: string, details?: ErrorDetails) {
    super('badParameter', message, details);
  }
}
