// Foreseen errors of every layer. Each carries a kind, which tells the caller its meaning, so that no layer
// has to translate it. api/errors.ts maps the kinds to HTTP.

export type ErrorKind =
  /** 400: the request makes no sense. */
  | 'badParameter'
  /** 401: a registry does not know, or does not believe, the client. */
  | 'unauthorized'
  /** 403: the request makes sense and is not allowed. */
  | 'forbidden'
  /** 404 */
  | 'notFound'
  /** 409: not in this state, or the name is taken. */
  | 'conflict'
  /** 413: the request has more bytes than we read. */
  | 'tooLarge'
  /** 304: it is so already (start of a running container). */
  | 'notModified'
  /** 400: the container's program could not be started. `exitCode` is 126 or 127; the command line exits with it. */
  | 'cannotRun'
  /** 501 */
  | 'notImplemented'
  /** 503: what is asked for exists in a swarm only, and this is none. */
  | 'unavailable'
  /** 500 */
  | 'internal';

export interface ErrorDetails {
  cause?: unknown;
  /** Exit code of a program that ended with it, or that could not be started. */
  exitCode?: number | undefined;
}

/** An error with a reason that the caller can act on. One clear line in `message`, in Docker's words where clients know them. */
export class ExpectedError extends Error {
  override name = 'ExpectedError';
  readonly kind: ErrorKind;
  readonly exitCode: number | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.exitCode = details.exitCode;
  }
}

const ofKind =
  (kind: ErrorKind) =>
  (message: string, details?: ErrorDetails): ExpectedError =>
    new ExpectedError(kind, message, details);

export const badParameter = ofKind('badParameter');
export const forbidden = ofKind('forbidden');
export const notFound = ofKind('notFound');
export const conflict = ofKind('conflict');
export const cannotRun = ofKind('cannotRun');
export const notImplemented = ofKind('notImplemented');
export const unavailable = ofKind('unavailable');
export const internal = ofKind('internal');
export const tooLarge = ofKind('tooLarge');
export const notModified = ofKind('notModified');

/** Text or data that does not have the required form. */
export class FormatError extends ExpectedError {
  override name = 'FormatError';

  constructor(message: string, details?: ErrorDetails) {
    super('badParameter', message, details);
  }
}
