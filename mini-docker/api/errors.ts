// Maps every error to an HTTP status and the body that Docker's clients read. Nothing else does.

import { type ErrorKind, ExpectedError } from '../formats/errors.ts';

const STATUS: Record<ErrorKind, number> = {
  notModified: 304,
  badParameter: 400,
  // As in dockerd, which treats a program that cannot be executed as a fault in the container's
  // configuration.
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
  /** Exit code for the command; an extension that Docker's clients ignore. */
  exitCode?: number | undefined;
}

/** The status of any exception, and one line for people. An unexpected exception is 500, without a stack. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof ExpectedError) {
    return { status: STATUS[error.kind], message: error.message, exitCode: error.exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, message: message.split('\n')[0]! || 'internal error' };
}

/** `what`: a complete sentence, with the alternative. */
export const notSupported = (what: string): ExpectedError => new ExpectedError('notImplemented', what);
