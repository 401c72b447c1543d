// Digests as the OCI image specification writes them (descriptor.md, "Digests"): 'sha256:' and 64 hexadecimal digits.
import { createHash } from 'node:crypto';

const SHA256 = /^sha256:[0-9a-f]{64}$/;

export const isDigest = (text: string): boolean => SHA256.test(text);

export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The digits after 'sha256:'. Digests become file names, so anything else is refused. */
export function hexOf(digest: string): string {
  if (!isDigest(digest)) throw new Error(`not a sha256 digest: ${JSON.stringify(digest)}`);
  return digest.slice(7);
}

/**
 * The chain ids of a list of diff ids, bottom first (image specification, config.md, "Layer ChainID"): each names a
 * layer together with all that lie below it.
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
