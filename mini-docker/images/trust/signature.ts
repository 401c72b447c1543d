// Signatures as cosign makes them: a key signs a small JSON document, the payload, which says "the image with this
// digest is called so" (https://github.com/containers/image/blob/main/docs/containers-signature.5.md, "The sigstore
// signature"; the payload is that of "simple signing").
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { FormatError } from '../../formats/errors.ts';
import { decodeReference, encodeReference, type ImageReference } from '../../formats/image-reference.ts';
import { object, parse, string } from '../../formats/schema.ts';
import type { Identity } from '../../formats/signature-policy.ts';

export interface Signature {
  /** The signed bytes, in base64. */
  payload: string;
  /** In base64. */
  signature: string;
}

/** A signature and why it counts, or does not. */
export interface Verdict {
  /** The name that the payload gives to the image; undefined if no key signed it. */
  signedName?: string;
  /** undefined: it counts. */
  fault?: string;
}

export interface Claim {
  reference: ImageReference;
  /** The digest that the name stands for: of the manifest, and of the index around it. */
  digests: readonly string[];
}

const TYPE = 'cosign container image signature';

const payloadSchema = object(
  {},
  {
    critical: object(
      {},
      {
        type: string,
        image: object({}, { 'docker-manifest-digest': string }),
        identity: object({}, { 'docker-reference': string }),
      },
    ),
  },
);

/** Nothing of the payload is believed, or even parsed, before one of the keys has signed it. */
export function judge(
  { payload, signature }: Signature,
  { keys, identity, claim }: { keys: readonly KeyObject[]; identity: Identity; claim: Claim },
): Verdict {
  const bytes = Buffer.from(payload, 'base64');
  const signed = Buffer.from(signature, 'base64');
  if (!keys.some(key => hasSigned(key, bytes, signed))) return { fault: 'none of the keys has made it' };
  try {
    const { critical } = parse(bytes, 'the payload', payloadSchema);
    const signedName = critical.identity['docker-reference'];
    if (critical.type !== TYPE) return { signedName, fault: `its type is ${JSON.stringify(critical.type)}` };
    const digest = critical.image['docker-manifest-digest'];
    if (!claim.digests.includes(digest)) return { signedName, fault: `it is for another image, ${digest}` };
    if (!fits(decodeReference(signedName), claim.reference, identity)) {
      return {
        signedName,
        fault: `it is for the name ${signedName}, which ${identity.type} does not accept`,
      };
    }
    return { signedName };
  } catch (error) {
    if (error instanceof FormatError) return { fault: error.message };
    throw error;
  }
}

function hasSigned(key: KeyObject, bytes: Buffer, signature: Buffer): boolean {
  // Ed25519 has a hash of its own.
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  try {
    return verify(hash, bytes, key, signature);
  } catch {
    return false;
  }
}

/** @param pem as `cosign generate-key-pair` writes cosign.pub. @throws FormatError */
export function decodeKey(pem: string | Buffer, place: string): KeyObject {
  try {
    if (pem.includes('PRIVATE KEY')) throw new Error('this is a private key');
    const key = createPublicKey(pem);
    if (!['ec', 'ed25519', 'rsa'].includes(key.asymmetricKeyType!)) throw new Error('unknown kind of key');
    return key;
  } catch (cause) {
    throw new FormatError(`${place} is not a public key in PEM: ${(cause as Error).message}`, { cause });
  }
}

const repository = ({ domain, path }: ImageReference): string => `${domain}/${path}`;

/** containers-policy.json(5), "signedIdentity" */
function fits(signed: ImageReference, wanted: ImageReference, identity: Identity): boolean {
  const isNamed = signed.tag !== undefined || signed.digest !== undefined;
  const sameRepository = repository(signed) === repository(wanted);
  switch (identity.type) {
    case 'matchRepository':
      return sameRepository;
    case 'matchExact':
      return isNamed && encodeReference(signed) === encodeReference(wanted);
    case 'matchRepoDigestOrExact':
      // A digest says more than a tag: only the repository is left to compare.
      return wanted.digest !== undefined
        ? sameRepository
        : isNamed && encodeReference(signed) === encodeReference(wanted);
    case 'exactReference':
      return (
        isNamed && encodeReference(signed) === encodeReference(decodeReference(identity.dockerReference))
      );
    case 'exactRepository':
      return repository(signed) === repository(decodeReference(identity.dockerRepository));
    case 'remapIdentity':
      return fits(signed, remapped(wanted, identity), { type: 'matchRepoDigestOrExact' });
  }
}

function remapped(
  reference: ImageReference,
  { prefix, signedPrefix }: { prefix: string; signedPrefix: string },
): ImageReference {
  const name = encodeReference(reference);
  const rest = name.slice(prefix.length);
  const isBelow = name.startsWith(prefix) && (rest === '' || /^[/:@]/.test(rest));
  return isBelow ? decodeReference(signedPrefix + rest) : reference;
}
