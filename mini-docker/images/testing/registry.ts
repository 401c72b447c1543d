// A registry for tests, which can be made to fail: in memory, in this process, over plain HTTP on the
// loopback. It implements the parts of the OCI distribution specification that skopeo and mini-docker use.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../formats/oci/digest.ts';
import { collect } from './archives.ts';

export interface TestRegistry extends AsyncDisposable {
  /** 'localhost:34567' */
  host: string;
  /** All requests so far: 'GET /v2/…' */
  requests: string[];
  /** Called before anything else; true means that it has answered the request. */
  intercept?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  manifests: Map<string, { mediaType: string; bytes: Buffer }>;
  blobs: Map<string, Buffer>;
}

export async function startTestRegistry(): Promise<TestRegistry> {
  const manifests: TestRegistry['manifests'] = new Map();
  /** Blobs by 'repository digest'. */
  const blobs: TestRegistry['blobs'] = new Map();
  const requests: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://x');
    const send = (status: number, headers: Record<string, string> = {}, body: Buffer | string = '') => {
      response.writeHead(status, { 'Content-Length': String(Buffer.byteLength(body)), ...headers });
      response.end(request.method === 'HEAD' ? '' : body);
    };
    const unknown = (code: string) =>
      send(404, {}, JSON.stringify({ errors: [{ code, message: 'unknown' }] }));
    const [, name, kind, rest = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/') return send(200);
    if (kind === 'tags') {
      const tags = [...manifests.keys()].filter(
        key => key.startsWith(`${name} `) && !key.includes('sha256:'),
      );
      return send(200, {}, JSON.stringify({ name, tags: tags.map(key => key.split(' ')[1]) }));
    }
    if (kind === 'manifests' && request.method === 'PUT') {
      const bytes = await collect(request);
      const mediaType = request.headers['content-type']!;
      for (const key of [rest, digestOf(bytes)]) manifests.set(`${name} ${key}`, { mediaType, bytes });
      return send(201, { 'Docker-Content-Digest': digestOf(bytes) });
    }
    if (kind === 'manifests') {
      const found = manifests.get(`${name} ${rest}`);
      if (found === undefined) return unknown('MANIFEST_UNKNOWN');
      return send(
        200,
        { 'Content-Type': found.mediaType, 'Docker-Content-Digest': digestOf(found.bytes) },
        found.bytes,
      );
    }
    if (kind === 'blobs' && rest.startsWith('uploads/')) {
      const mount = url.searchParams.get('mount');
      const source = blobs.get(`${url.searchParams.get('from')} ${mount}`);
      if (request.method === 'POST' && mount !== null && source !== undefined) {
        blobs.set(`${name} ${mount}`, source);
        return send(201, { Location: `/v2/${name}/blobs/${mount}` });
      }
      if (request.method === 'POST')
        return send(202, { Location: `/v2/${name}/blobs/uploads/1?state=a%2Fb` });
      if (request.method === 'DELETE') return send(204);
      const bytes = await collect(request);
      // skopeo sends the content with PATCH, and an empty PUT.
      if (request.method === 'PATCH') {
        blobs.set(`${name} upload`, bytes);
        return send(202, { Location: `/v2/${name}/blobs/uploads/1` });
      }
      const content = bytes.length > 0 ? bytes : (blobs.get(`${name} upload`) ?? bytes);
      const digest = url.searchParams.get('digest')!;
      if (digestOf(content) !== digest) return unknown('DIGEST_INVALID');
      blobs.set(`${name} ${digest}`, content);
      return send(201, { Location: `/v2/${name}/blobs/${digest}` });
    }
    const blob = blobs.get(`${name} ${rest}`);
    if (blob === undefined) return unknown('BLOB_UNKNOWN');
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start === 0) return send(200, {}, blob);
    const range = `bytes ${start}-${blob.length - 1}/${blob.length}`;
    return send(206, { 'Content-Range': range }, blob.subarray(start));
  }

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (registry.intercept?.(request, response)) return;
    answer(request, response).catch(() => response.destroy());
  });
  const registry: TestRegistry = {
    host: '',
    requests,
    manifests,
    blobs,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  registry.host = `localhost:${(server.address() as AddressInfo).port}`;
  return registry;
}
