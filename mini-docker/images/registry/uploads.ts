// Blobs on their way to a repository: mounted from a neighbouring one, or uploaded in one piece.

import type { Descriptor } from '../../formats/oci/image.ts';
import { RegistryError } from './errors.ts';
import type { Session } from './session.ts';
import type { HttpResponse } from './transport.ts';

export interface Upload {
  descriptor: Descriptor;
  /** Called again for each attempt. */
  open(): AsyncIterable<Uint8Array>;
  from?: readonly string[];
}

/** @param scope what the session asks a token for. @returns Repository.upload */
export function uploads(session: Session, path: string, scope: string) {
  async function start(query: string, fromScope = ''): Promise<HttpResponse> {
    const response = await session.send({
      method: 'POST',
      url: `/v2/${path}/blobs/uploads/${query}`,
      headers: { 'Content-Length': '0' },
      scope: scope + fromScope,
      expect: [201, 202],
      doing: `push to ${path}`,
    });
    response.body.resume();
    return response;
  }

  async function send(location: string, { descriptor, open }: Upload): Promise<void> {
    const target = new URL(location);
    target.searchParams.set('digest', descriptor.digest);
    const response = await session.send({
      method: 'PUT',
      url: target.href,
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(descriptor.size) },
      body: open,
      scope,
      expect: [201],
      doing: `push ${descriptor.digest}`,
      // An upload location that has received a part of the blob does not accept it again from the start.
      once: true,
    });
    response.body.resume();
  }

  async function cancel(url: string): Promise<void> {
    const expect = [202, 204, 404, 405];
    const response = await session.send({ method: 'DELETE', url, scope, expect, doing: 'cancel a push' });
    response.body.resume();
  }

  /** A registry that cannot or may not mount starts an ordinary upload instead (202), which is cancelled. */
  async function mount(digest: string, from: string): Promise<boolean> {
    const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    try {
      const response = await start(query, ` repository:${from}:pull`);
      if (response.status === 202) await cancel(locationOf(response));
      return response.status === 201;
    } catch (error) {
      // Lack of permission to read the other repository does not prevent the push.
      if (error instanceof RegistryError && error.status !== undefined && error.status < 500) return false;
      throw error;
    }
  }

  function locationOf({ headers, url: from }: HttpResponse): string {
    if (headers.location === undefined)
      throw new RegistryError(`the registry gives no location to push ${path} to`);
    return new URL(headers.location, from).href;
  }

  return async (upload: Upload): Promise<{ mountedFrom?: string }> => {
    for (const from of upload.from ?? []) {
      if (await mount(upload.descriptor.digest, from)) return { mountedFrom: from };
    }
    await session.retrying(async () => send(locationOf(await start('')), upload));
    return {};
  };
}
