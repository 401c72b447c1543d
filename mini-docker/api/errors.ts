// The one place that turns what went wrong into an HTTP status and the body that Docker's clients read.

import { type ErrorKind, ExpectedError } from '../formats/errors.ts';

const STATUS: Record<ErrorKind, number> = {
  notModified: 304,
  badParameter: 400,
  // dockerd answers so too: it takes a program that cannot be executed for a mistake in the container's configuration.
  cannotRun: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  tooLarge: 413,
  internal: 500,
  notImplemented: 501,
  unavailable: 503,
};

export interface ErrorAnswer {
  status: number;
  message: string;
  /** What the command ends with; an extension of ours, which Docker's clients do not look for. */
  exitCode?: number | undefined;
}

/** Whatever was thrown: its status, and one line for people. An exception nobody expected is 500, without a stack. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof ExpectedError) {
    return { status: STATUS[error.kind], message: error.message, exitCode: error.exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, message: message.split('\n')[0]! || 'internal error' };
}

/** `what` is a whole sentence: what cannot be done, and what can be done instead. */
export const notSupported = (what: string): ExpectedError => new ExpectedError('notImplemented', what);
