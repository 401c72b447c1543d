// Docker's content trust: signatures that a notary keeps. A user who asks for them must not get an unverified image.

import { CommandError } from '../errors.ts';
import { type Flag, toggleMaybe } from './flags.ts';

export const contentTrustFlag = (): Flag<boolean | undefined> => ({
  ...toggleMaybe('Skip image verification (default: true, false with DOCKER_CONTENT_TRUST=1)'),
  hidden: true,
});

/**
 * @param options.skip --disable-content-trust, if it was given
 * @param options.image where it is one: its digest says all that a signature could
 * @throws CommandError where verification is asked for, as docker does that finds no notary
 */
export function refuseContentTrust(options: {
  skip: boolean | undefined;
  image?: string;
  exitCode?: number;
}): void {
  const { skip, image, exitCode = 1 } = options;
  const asked = process.env.DOCKER_CONTENT_TRUST ?? '';
  // As docker reads it: what is no boolean asks for it, too.
  const isAsked = asked !== '' && !/^(0|f|false)$/i.test(asked);
  if (!(skip === undefined ? isAsked : !skip) || image?.includes('@sha256:')) return;
  const byDigest =
    image === undefined
      ? ''
      : `name ${image} by its digest (NAME@sha256:...), let a signature policy verify cosign's signatures (docs/signatures.md), or `;
  throw new CommandError(
    `content trust is on (DOCKER_CONTENT_TRUST or --disable-content-trust=false), and mini-docker asks no notary for signatures: ${byDigest}skip verification with --disable-content-trust or DOCKER_CONTENT_TRUST=0`,
    { exitCode },
  );
}
