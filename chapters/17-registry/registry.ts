// A registry that can be read from: it serves the images of an OCI image layout, and prints each request.
// Run: node chapters/17-registry/registry.ts LAYOUT PORT [--token] [--break] [--lie]
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Mistake } from '../04-mounts/mistake.ts';
import { blobPath, type Descriptor, digestOf } from '../09-images/store.ts';
import { allows, giveToken } from './token.ts';

const [layout = '', port = '', ...options] = process.argv.slice(2);
const [wantsToken, breaks, lies] = ['--token', '--break', '--lie'].map(each => options.includes(each));

if (!existsSync(`${layout}/index.json`))
  throw new Mistake(`${layout} is no image layout: it has no index.json`);

/** An answer instead of the one that was asked for. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

createServer((request, response) => {
  response.on('close', () => console.log(request.method, request.url, response.statusCode));
  try {
    answer(request, response);
  } catch (error) {
    const { status, code, message, headers } =
      error instanceof Refusal ? error : new Refusal(404, 'BLOB_UNKNOWN', 'there is no such blob');
    response.writeHead(status, { ...headers, 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code, message }] }));
  }
})
  .on('error', ({ message }) => {
    throw new Mistake(`the registry cannot start: ${message}`);
  })
  .listen(Number(port), '127.0.0.1');

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', `http://127.0.0.1:${port}`);
  if (url.pathname === '/token') {
    const token = giveToken(url.searchParams.getAll('scope'));
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ token }));
    return;
  }
  const [, name, kind, which = ''] = /^\/v2\/(?:(.+)\/(manifests|blobs)\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (wantsToken) demandToken(request, url, name);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refusal(405, 'UNSUPPORTED', 'this registry can only be read');
  }
  if (url.pathname === '/v2/') response.setHeader('Content-Type', 'application/json').end('{}');
  else if (kind === 'manifests') sendManifest(response, findManifest(`${name}:${which}`, which));
  else if (kind === 'blobs') sendBlob(response, which, request.headers.range);
  else throw new Refusal(404, 'NAME_UNKNOWN', `there is nothing at ${url.pathname}`);
}

/** In a token registry, the answer 401 says where there are tokens, and what for. */
function demandToken(request: IncomingMessage, { origin }: URL, name: string | undefined): void {
  const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
  const scope = name === undefined ? '' : `repository:${name}:${action}`;
  if (allows(/^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1], scope)) return;
  throw new Refusal(401, 'UNAUTHORIZED', `a token for ${scope || 'this registry'} is wanted`, {
    'WWW-Authenticate': `Bearer realm="${origin}/token",service="chapter 17",scope="${scope}"`,
  });
}

/** A tag is looked up in index.json, where `busybox` is short for `busybox:latest`; a digest speaks for itself. */
function findManifest(name: string, which: string): Buffer {
  if (which.startsWith('sha256:')) return readFileSync(blobPath(which, layout));
  const { manifests } = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as {
    manifests: Descriptor[];
  };
  const found = manifests.find(({ annotations = {} }) =>
    Object.values(annotations).some(each => each === name || `${each}:latest` === name),
  );
  if (found === undefined) throw new Refusal(404, 'MANIFEST_UNKNOWN', `there is no ${name}`);
  return readFileSync(blobPath(found.digest, layout));
}

function sendManifest(response: ServerResponse, bytes: Buffer): void {
  response.setHeader('Content-Type', JSON.parse(bytes.toString()).mediaType);
  response.setHeader('Docker-Content-Digest', digestOf(bytes));
  response.end(bytes);
}

function sendBlob(response: ServerResponse, digest: string, range = ''): void {
  const bytes = readFileSync(blobPath(digest, layout));
  if (lies) bytes[bytes.length - 1]! ^= 1;
  response.setHeader('Content-Type', 'application/octet-stream');
  const start = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
  if (start > 0) {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  }
  response.setHeader('Content-Length', bytes.length - start);
  if (!breaks || start > 0) {
    response.end(bytes.subarray(start));
    return;
  }
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
  setTimeout(() => response.destroy(), 100);
}
