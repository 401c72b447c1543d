// What goes wrong for a reason that a client can act on. The api turns `kind` into an HTTP status in one place.

export type ErrorKind =
  /** 400: the request makes no sense. */
  | 'badParameter'
  /** 401: a registry wants to know who asks, or does not believe it. */
  | 'unauthorized'
  /** 403: it makes sense and is not allowed. */
  | 'forbidden'
  /** 404 */
  | 'notFound'
  /** 409: not in this state, or the name is taken. */
  | 'conflict'
  /** 304: it is so already (start of a running container). */
  | 'notModified'
  /** 500: the container's program could not be started. `exitCode` is 126 or 127; the command line exits with it. */
  | 'cannotRun'
  /** 501 */
  | 'notImplemented'
  /** 500 */
  | 'internal';

/** One clear line in `message`, in Docker's words where clients know them. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: ErrorKind;
  readonly exitCode: number | undefined;

  constructor(kind: ErrorKind, message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.exitCode = options.exitCode;
  }
}

export function noSuchContainer(reference: string): EngineError {
  return new EngineError('notFound', `No such container: ${reference}`);
}

export function noSuchExec(id: string): EngineError {
  return new EngineError('notFound', `No such exec instance: ${id}`);
}

export function notRunning(id: string): EngineError {
  return new EngineError('conflict', `container ${id} is not running`);
}

export function badParameter(message: string): EngineError {
  return new EngineError('badParameter', message);
}
