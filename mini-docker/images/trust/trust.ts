// Decides by the signature policy which images may be pulled and run. The file is read each time: a change holds at once,
// and a broken one refuses images rather than the daemon's start.
import { readFileSync } from 'node:fs';
import { FormatError } from '../../formats/errors.ts';
import { decodeReference, familiarReference } from '../../formats/image-reference.ts';
import type { Descriptor } from '../../formats/oci/image.ts';
import {
  decodePolicy,
  type Requirement,
  requirementsFor,
  type SignaturePolicy,
} from '../../formats/signature-policy.ts';
import { ImageError } from '../errors.ts';
import { isMadeHere, originsOf } from './origins.ts';
import { type Claim, decodeKey, judge, type Signature, type Verdict } from './signature.ts';

export const DEFAULT_POLICY = '/etc/mini-docker/policy.json';

export interface Trust {
  /** Before the layers of an image are fetched. @returns the signatures to keep with it. @throws ImageError */
  admit(claim: Claim, fetch: () => Promise<Signature[]>): Promise<Signature[]>;
  /** Before an archive is loaded: it carries no signatures. @throws ImageError when the policy wants them */
  admitArchive(): void;
  /**
   * Before an image is used that came from a registry. Images that were made here need no signature.
   * @param descriptors all of the image's in index.json
   * @throws ImageError when no name under which it was pulled is accepted
   */
  requireTrusted(descriptors: readonly Descriptor[]): void;
  /** What the policy, or a requirement in its place, says of an image; nothing is refused. */
  examine(claim: Claim, signatures: readonly Signature[], instead?: Requirement): Examination;
}

export interface Examination {
  /** Where the requirements are: 'transports.docker."hub.lan/web" of /etc/mini-docker/policy.json'. */
  place: string;
  /** Why it is refused; undefined: it is accepted. */
  fault?: string;
  verdicts: Verdict[];
}

/** @param path undefined: the default path, where the file may be missing, which accepts everything */
export function openTrust(path?: string): Trust {
  const file = path ?? DEFAULT_POLICY;

  function policy(): SignaturePolicy | undefined {
    try {
      return decodePolicy(readFileSync(file));
    } catch (cause) {
      if (path === undefined && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new ImageError(
        `no image is accepted: the signature policy ${file}: ${(cause as Error).message}`,
        {
          kind: 'forbidden',
          cause,
        },
      );
    }
  }

  /** undefined when everything is accepted. */
  function demanded(
    transport: string,
    claim?: Claim,
  ): { requirements: Requirement[]; place: string } | undefined {
    const found = policy();
    if (found === undefined) return undefined;
    const { requirements, place } = requirementsFor(found, transport, claim?.reference);
    if (accepts(requirements)) return undefined;
    return { requirements, place: `${place} of ${file}` };
  }

  /** The error for an image of which it is not known how it came here; undefined where that does not matter. */
  function unknownOrigin(): ImageError | undefined {
    const found = policy();
    if (found === undefined || acceptsEverything(found)) return undefined;
    return new ImageError(
      `the image is refused by ${file}: it is not known whether it was pulled or made here, since an older version brought it: remove it, and pull or build it again`,
      { kind: 'forbidden' },
    );
  }

  const refusal = (name: string, { place, fault }: Examination): ImageError =>
    new ImageError(`${name} is refused by ${place}: ${fault}`, { kind: 'forbidden' });

  return {
    async admit(claim, fetch) {
      const found = demanded('docker', claim);
      if (found === undefined) return [];
      const isRejected = found.requirements.some(({ type }) => type === 'reject');
      const signatures = isRejected ? [] : await fetch();
      const examined = examine(found, claim, signatures);
      if (examined.fault !== undefined) throw refusal(familiarReference(claim.reference), examined);
      return signatures;
    },

    admitArchive() {
      const found = demanded('docker-archive');
      if (found === undefined) return;
      throw new ImageError(`the archive is refused by ${found.place}: an archive carries no signatures`, {
        kind: 'forbidden',
      });
    },

    requireTrusted(descriptors) {
      const origins = originsOf(descriptors);
      const isKnown = origins.length > 0 || isMadeHere(descriptors);
      let refused = isKnown ? undefined : unknownOrigin();
      for (const { name, digests, signatures } of origins) {
        const claim = { reference: decodeReference(name), digests };
        const found = demanded('docker', claim);
        if (found === undefined) return;
        const examined = examine(found, claim, signatures);
        if (examined.fault === undefined) return;
        refused ??= refusal(`${familiarReference(claim.reference)}, as it was pulled,`, examined);
      }
      if (refused !== undefined) throw refused;
    },

    examine(claim, signatures, instead) {
      const found =
        instead === undefined
          ? demanded('docker', claim)
          : { requirements: [instead], place: 'the given key' };
      return found === undefined ? { place: 'no policy', verdicts: [] } : examine(found, claim, signatures);
    },
  };
}

const accepts = (requirements: Iterable<Requirement>): boolean =>
  [...requirements].every(({ type }) => type === 'insecureAcceptAnything');

/** Whether images from any registry are accepted. */
const acceptsEverything = ({ default: otherwise, transports }: SignaturePolicy): boolean =>
  accepts([...otherwise, ...[...(transports.get('docker')?.values() ?? [])].flat()]);

function examine(
  { requirements, place }: { requirements: Requirement[]; place: string },
  claim: Claim,
  signatures: readonly Signature[],
): Examination {
  const verdicts: Verdict[] = [];
  let fault: string | undefined;
  for (const requirement of requirements) {
    if (requirement.type === 'reject') fault ??= 'the policy accepts no image there';
    if (requirement.type !== 'sigstoreSigned') continue;
    const keys = [
      ...requirement.files.map(path => decodeKey(readKey(path), path)),
      ...requirement.data.map(text => decodeKey(Buffer.from(text, 'base64'), `keyData of ${place}`)),
    ];
    const found = signatures.map(each => judge(each, { keys, identity: requirement.identity, claim }));
    verdicts.push(...found);
    if (found.some(verdict => verdict.fault === undefined)) continue;
    const faults = [...new Set(found.map(verdict => verdict.fault))];
    fault ??=
      found.length === 0
        ? 'it has no signature'
        : `of its ${found.length} signature(s) none counts: ${faults.join('; ')}`;
  }
  return { place, verdicts, ...(fault === undefined ? {} : { fault }) };
}

function readKey(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new FormatError(`the key of the signature policy cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
