import { type ErrorDetails, type ErrorKind, ExpectedError } from '../formats/errors.ts';

/** An image that does not exist, or cannot be accepted: a wrong digest, a broken or hostile archive. */
export class ImageError extends ExpectedError {
  override name = 'ImageError';

  constructor(
    message: string,
    { kind = 'badParameter', ...details }: ErrorDetails & { kind?: ErrorKind } = {},
  ) {
    super(kind, message, details);
  }
}

/** `reference`: as it is shown to the user, with its tag. */
export const noSuchImage = (reference: string): ImageError =>
  new ImageError(`No such image: ${reference}`, { kind: 'notFound' });

export const isNoSuchImage = (error: unknown): boolean =>
  error instanceof ImageError && error.kind === 'notFound';
