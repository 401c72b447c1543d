// Requests to one repository of a registry (OCI distribution specification 1.1, "API").

import { digestOf } from '../../formats/oci/digest.ts';
import { type Descriptor, MEDIA } from '../../formats/oci/image.ts';
import { object, parse, strings } from '../../formats/schema.ts';
import { RegistryError } from './errors.ts';
import { pages } from './pages.ts';
import type { Session } from './session.ts';
import { bytesOf } from './transport.ts';
import { type Upload, uploads } from './uploads.ts';

export interface Repository {
  /** Finds by tag or digest. @throws RegistryError when it fails (status 404 when there is none) */
  manifest(reference: string): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  /** Requests the bytes from `offset` on; the answer has the actual start. */
  blob(digest: string, offset: number): Promise<{ start: number; body: AsyncIterable<Uint8Array> }>;
  hasBlob(digest: string): Promise<boolean>;
  /**
   * `from`: repositories of the same registry that have the blob. Returns the one that it was mounted from.
   */
  upload(blob: Upload): Promise<{ mountedFrom?: string }>;
  putManifest(reference: string, manifest: { bytes: Buffer; mediaType: string }): Promise<void>;
  tags(): Promise<string[]>;
}

/** The specification asks registries to accept at least 4 MiB. */
const MANIFEST_LIMIT = 8 << 20;
const ACCEPT = [MEDIA.ociIndex, MEDIA.ociManifest, MEDIA.dockerIndex, MEDIA.dockerManifest].join(', ');

/** `path`: 'library/busybox'. */
export function openRepository(session: Session, path: string, actions: 'pull' | 'pull,push'): Repository {
  const scope = `repository:${path}:${actions}`;
  const url = (rest: string) => `/v2/${path}/${rest}`;

  const upload = uploads(session, path, scope);

  return {
    async manifest(reference) {
      const response = await session.send({
        method: 'GET',
        url: url(`manifests/${reference}`),
        headers: { Accept: ACCEPT },
        scope,
        expect: [200],
        doing: `pull ${path}`,
      });
      const bytes = await bytesOf(response.body, MANIFEST_LIMIT);
      if (bytes.length > MANIFEST_LIMIT) throw new RegistryError(`the manifest of ${path} is too large`);
      const digest = digestOf(bytes);
      if (reference.startsWith('sha256:') && digest !== reference) {
        throw new RegistryError(`the registry sent ${digest} when asked for ${reference}`);
      }
      const mediaType = String(response.headers['content-type'] ?? '').replace(/\s*;.*$/, '');
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },

    async blob(digest, offset) {
      const response = await session.send({
        method: 'GET',
        url: url(`blobs/${digest}`),
        headers: offset > 0 ? { Range: `bytes=${offset}-` } : {},
        scope,
        expect: [200, 206],
        doing: `pull ${digest}`,
      });
      return { start: response.status === 206 ? offset : 0, body: response.body };
    },

    async hasBlob(digest) {
      const response = await session.send({
        method: 'HEAD',
        url: url(`blobs/${digest}`),
        scope,
        expect: [200, 404],
        doing: `push ${digest}`,
      });
      response.body.resume();
      return response.status === 200;
    },

    upload,

    async putManifest(reference, { bytes, mediaType }) {
      const response = await session.send({
        method: 'PUT',
        url: url(`manifests/${reference}`),
        headers: { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) },
        body: () => bytes,
        scope,
        expect: [200, 201, 202],
        doing: `push ${path}:${reference}`,
      });
      response.body.resume();
    },

    async tags() {
      const all: string[] = [];
      const first = { url: url('tags/list'), scope, doing: `list the tags of ${path}` };
      for await (const page of pages(session, first))
        all.push(...(parse(page, 'list', object({ tags: strings })).tags ?? []));
      return all;
    },
  };
}
