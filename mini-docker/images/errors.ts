import { type ErrorDetails, type ErrorKind, ExpectedError } from '../formats/errors.ts';

/** An image that is not there, or cannot be taken as it is: a wrong digest, a broken or hostile archive. */
export class ImageError extends ExpectedError {
  override name = 'ImageError';

  constructor(
    message: string,
    { kind = 'badParameter', ...details }: ErrorDetails & { kind?: ErrorKind } = {},
  ) {
    super(kind, message, details);
  }
}

/** `reference` as the user should read it: with its tag. */
export const noSuchImage = (reference: string): ImageError =>
  new ImageError(`No such image: ${reference}`, { kind: 'notFound' });

export const isNoSuchImage = (error: unknown): boolean =>
  error instanceof ImageError && error.kind === 'notFound';
