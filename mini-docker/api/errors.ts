// The one place that turns what went wrong into an HTTP status and the body that Docker's clients read.

import { EngineError, type ErrorKind } from '../engine/core/errors.ts';

/** Wrong with the request itself, found before the engine is asked. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const STATUS: Record<ErrorKind, number> = {
  notModified: 304,
  badParameter: 400,
  // dockerd answers so too: it takes a program that cannot be executed for a mistake in the container's configuration.
  cannotRun: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  internal: 500,
  notImplemented: 501,
};

export interface ErrorAnswer {
  status: number;
  message: string;
}

/** Whatever was thrown: its status, and one line for people. An exception nobody expected is 500, without a stack. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof HttpError) return { status: error.status, message: error.message };
  if (error instanceof EngineError) return { status: STATUS[error.kind], message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, message: message.split('\n')[0]! || 'internal error' };
}

export const badRequest = (message: string): HttpError => new HttpError(400, message);

/** `what` is a whole sentence: what cannot be done, and what can be done instead. */
export const notSupported = (what: string): HttpError => new HttpError(501, what);
