// Where a registry keeps an image's signatures: in the same repository, as an image under the tag sha256-HEX.sig, of
// which each layer is a payload and has its signature in an annotation (cosign's SIGNATURE_SPEC.md).
import { digestOf, hexOf } from '../../formats/oci/digest.ts';
import { decodeManifest } from '../../formats/oci/image.ts';
import { ImageError } from '../errors.ts';
import { RegistryError } from '../registry/errors.ts';
import type { Repository } from '../registry/repository.ts';
import { bytesOf } from '../registry/transport.ts';
import type { Signature } from './signature.ts';

const PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ANNOTATION = 'dev.cosignproject.cosign/signature';

/** Bytes; real payloads have some 300. */
const LARGEST_PAYLOAD = 64 << 10;
/** Everybody who may push to the repository can add signatures. */
const MOST_SIGNATURES = 32;

/** The signatures for any of the digests; none if there are none. @throws RegistryError */
export async function fetchSignatures(
  repository: Repository,
  digests: readonly string[],
): Promise<Signature[]> {
  const found: Signature[] = [];
  for (const digest of new Set(digests)) {
    const manifest = await attached(repository, `sha256-${hexOf(digest)}.sig`);
    for (const layer of manifest?.layers ?? []) {
      const signature = layer.annotations?.[ANNOTATION];
      if (layer.mediaType !== PAYLOAD || signature === undefined || found.length === MOST_SIGNATURES)
        continue;
      if (layer.size > LARGEST_PAYLOAD || signature.length > LARGEST_PAYLOAD) continue;
      const bytes = await bytesOf((await repository.blob(layer.digest, 0)).body, LARGEST_PAYLOAD);
      if (digestOf(bytes) !== layer.digest) throw new ImageError(`the registry sent a wrong ${layer.digest}`);
      found.push({ payload: bytes.toString('base64'), signature });
    }
  }
  return found;
}

async function attached(repository: Repository, tag: string) {
  try {
    return decodeManifest((await repository.manifest(tag)).bytes);
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined;
    throw error;
  }
}
