/** As the engine's kinds of errors, so that they go through to the client as they are. */
export type NetworkErrorKind =
  | 'badParameter'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'notImplemented'
  | 'internal';

/** What goes wrong with networks for a reason that a user can act on. One clear line in `message`. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly kind: NetworkErrorKind;

  constructor(kind: NetworkErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
