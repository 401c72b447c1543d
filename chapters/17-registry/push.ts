// Push: first the blobs that the registry lacks, then the manifest, so that a tag never leads to half an image.
import { Mistake } from '../04-mounts/mistake.ts';
import { type Descriptor, findImage, readBlob, readImage, tags } from '../09-images/store.ts';
import { ask, type Repository } from './client.ts';
import { findReference, parseReference, type Reference } from './reference.ts';

/** @throws Mistake if there is no such image, or the registry does not take it */
export async function push(name: string): Promise<Descriptor> {
  const reference = parseReference(name);
  const { manifest } = findImage(name);
  const descriptor = tags().get(name)!;
  const neighbours = neighboursOf(reference);
  const repository: Repository = {
    ...reference,
    scopes: [
      `repository:${reference.repository}:pull,push`,
      ...new Set(neighbours.values().map(neighbour => `repository:${neighbour}:pull`)),
    ],
  };
  for (const blob of [manifest.config, ...manifest.layers]) {
    const done = await pushBlob(repository, blob, neighbours.get(blob.digest));
    console.log(`${blob.digest.slice(7, 19)}: ${done}`);
  }
  await ask(repository, `manifests/${reference.tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': descriptor.mediaType },
    body: Uint8Array.from(readBlob(descriptor)),
  });
  return descriptor;
}

/** @param neighbour a repository of the same registry that has the blob. @returns what was done */
async function pushBlob(repository: Repository, blob: Descriptor, neighbour?: string): Promise<string> {
  const { digest } = blob;
  const there = await ask(repository, `blobs/${digest}`, { method: 'HEAD', expect: [404] });
  if (there.ok) return 'already there';
  const mount = neighbour === undefined ? '' : `?mount=${digest}&from=${neighbour}`;
  const begun = await ask(repository, `blobs/uploads/${mount}`, { method: 'POST' });
  if (begun.status === 201) return `mounted from ${neighbour}`;
  const location = begun.headers.get('location');
  if (location === null) throw new Mistake(`${repository.host} does not say where to send ${digest}`);
  const target = new URL(location, begun.url);
  target.searchParams.set('digest', digest);
  const headers = { 'Content-Type': 'application/octet-stream' };
  await ask(repository, target.href, { method: 'PUT', headers, body: Uint8Array.from(readBlob(blob)) });
  return 'pushed';
}

/** Which blobs are in which other repositories of the registry, as far as our own names tell. */
function neighboursOf({ host, repository }: Reference): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, descriptor] of tags()) {
    const other = findReference(name);
    if (other?.host !== host || other.repository === repository) continue;
    for (const { digest } of readImage(descriptor).manifest.layers) found.set(digest, other.repository);
  }
  return found;
}
