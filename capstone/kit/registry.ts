// A small registry, which keeps what is pushed to it in a directory: blobs/sha256/HEX and manifests/NAME/TAG.
// Run: node registry.ts PORT DIRECTORY [--lie] [ARCHIVE NAME:TAG] (--lie changes a byte of each layer on its way;
// an archive's image is served under this name, in an index with another platform before it)
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { arch } from 'node:os';
import { dirname } from 'node:path';

const words = process.argv.slice(2);
const lies = words.includes('--lie');
const [port = '', directory = '', archive, name = ''] = words.filter(word => word !== '--lie');
const uploads = new Map<string, Buffer>();
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: { os: string; architecture: string };
}

mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
if (archive !== undefined) serveArchive(archive);

createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    try {
      answer(request, response, Buffer.concat(parts));
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
    console.log(request.method, request.url, response.statusCode);
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));

function serveArchive(file: string): void {
  execFileSync('tar', ['-C', directory, '-xf', file]);
  const { manifests } = JSON.parse(readFileSync(`${directory}/index.json`, 'utf8')) as {
    manifests: Descriptor[];
  };
  const { digest, size } = manifests[0]!;
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  const stranger = store(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST })));
  writeManifest(
    name,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { mediaType: MANIFEST, ...stranger, platform: { os: 'linux', architecture: 's390x' } },
        { mediaType: MANIFEST, digest, size, platform: { os: 'linux', architecture } },
      ],
    }),
  );
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The path of a blob or of a manifest's name; digests and names come from outside. */
function pathOf(kind: 'blob' | 'manifest', which: string): string {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(which) ?? [];
  if (kind === 'blob' && hex !== undefined) return `${directory}/blobs/sha256/${hex}`;
  if (kind === 'manifest' && /^[a-z0-9/._-]+:[\w.-]+$/.test(which) && !which.includes('..'))
    return `${directory}/manifests/${which.replace(/:([^:]*)$/, '/$1')}`;
  throw new Error(`there is no ${kind} ${which}`);
}

function store(bytes: Buffer): { digest: string; size: number } {
  const digest = digestOf(bytes);
  writeFileSync(pathOf('blob', digest), bytes);
  return { digest, size: bytes.length };
}

function writeManifest(as: string, text: string): void {
  const path = pathOf('manifest', as);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://registry');
  if (pathname === '/v2/') {
    response.setHeader('Content-Type', 'application/json').end('{}');
    return;
  }
  const [, image, kind, which = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.*)$/.exec(pathname) ?? [];
  if (kind === 'manifests' && request.method === 'PUT') putManifest(response, `${image}:${which}`, body);
  else if (kind === 'manifests') sendManifest(request, response, image!, which);
  else if (kind === 'blobs' && which.startsWith('uploads/')) {
    upload(response, {
      method: request.method!,
      image: image!,
      id: which.slice(8),
      body,
      as: searchParams.get('digest'),
    });
  } else if (kind === 'blobs') sendBlob(request, response, which);
  else response.writeHead(404).end();
}

function sendManifest(
  request: IncomingMessage,
  response: ServerResponse,
  image: string,
  which: string,
): void {
  const path = which.startsWith('sha256:') ? pathOf('blob', which) : pathOf('manifest', `${image}:${which}`);
  if (!existsSync(path)) {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: `there is no ${image}:${which}` }] }),
    );
    return;
  }
  const bytes = readFileSync(path);
  response.setHeader('Content-Type', JSON.parse(bytes.toString()).mediaType ?? MANIFEST);
  response.setHeader('Docker-Content-Digest', digestOf(bytes));
  response.setHeader('Content-Length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function sendBlob(request: IncomingMessage, response: ServerResponse, digest: string): void {
  const path = pathOf('blob', digest);
  if (!existsSync(path)) {
    response.writeHead(404).end();
    return;
  }
  const bytes = readFileSync(path);
  // Layers are archives; a config begins with {.
  if (lies && bytes[0] !== 0x7b) bytes[bytes.length - 1]! ^= 1;
  response.setHeader('Content-Type', 'application/octet-stream').setHeader('Content-Length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function upload(
  response: ServerResponse,
  {
    method,
    image,
    id,
    body,
    as,
  }: { method: string; image: string; id: string; body: Buffer; as: string | null },
): void {
  const session = method === 'POST' ? `${uploads.size + 1}` : id;
  const bytes = Buffer.concat([uploads.get(session) ?? Buffer.alloc(0), body]);
  uploads.set(session, bytes);
  if (as !== null) {
    if (digestOf(bytes) !== as) throw new Error(`the digest of the upload is ${digestOf(bytes)}, not ${as}`);
    store(bytes);
    response.writeHead(201, { Location: `/v2/${image}/blobs/${as}`, 'Docker-Content-Digest': as }).end();
    return;
  }
  const range = `0-${Math.max(0, bytes.length - 1)}`;
  const location = `/v2/${image}/blobs/uploads/${session}`;
  response.writeHead(202, { Location: location, Range: range, 'Docker-Upload-UUID': session }).end();
}

/** Takes a manifest only when all that it names is there. */
function putManifest(response: ServerResponse, as: string, body: Buffer): void {
  const { config, layers } = JSON.parse(body.toString()) as { config: Descriptor; layers: Descriptor[] };
  const missing = [config, ...layers].find(({ digest }) => !existsSync(pathOf('blob', digest)));
  if (missing !== undefined) throw new Error(`${missing.digest} was not uploaded`);
  const { digest } = store(body);
  writeManifest(as, body.toString());
  response.writeHead(201, { Location: `/v2/manifests/${digest}`, 'Docker-Content-Digest': digest }).end();
}
