// A registry.   Run: node registry.ts PORT DIRECTORY
import { randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Descriptor, digestOf } from '../../chapters/09-images/store.ts';

const [port = '', directory = ''] = process.argv.slice(2);
for (const name of ['blobs', 'links', 'uploads']) mkdirSync(`${directory}/${name}`, { recursive: true });

/** The bytes of a blob, or of a manifest: each is stored once, for all repositories. */
const blobFile = (digest: string): string => `${directory}/blobs/${digest}`;
/** The part of a blob that has arrived; its digest is not known yet. */
const uploadFile = (id: string): string => `${directory}/uploads/${id}`;

/** Connects a tag or a digest of a repository with bytes. A repository without a link to a blob does not have it. */
interface Link {
  digest: string;
  type: string;
}

const linkFile = (name: string, reference: string): string =>
  `${directory}/links/${encodeURIComponent(`${name} ${reference}`)}`;

function addLink(name: string, reference: string, link: Link): void {
  writeFileSync(linkFile(name, reference), JSON.stringify(link));
}

function findLink(name: string, reference: string): Link | undefined {
  const file = linkFile(name, reference);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Link) : undefined;
}

const BYTES = 'application/octet-stream';

interface Question {
  request: IncomingMessage;
  /** The repository. */
  name: string;
  /** A tag, a digest, or the id of an upload. */
  which: string;
  /** Parameters of the URL: digest, mount, from. */
  query: URLSearchParams;
}

interface Answer {
  status: number;
  headers?: Record<string, string | number>;
  /** A file that is the body. */
  file?: string;
  /** The code of an error. */
  error?: string;
}

/** POST /v2/NAME/blobs/uploads/ begins an upload; with ?mount=DIGEST&from=NAME it may not be necessary. */
function begin({ name, query }: Question): Answer {
  const mount = query.get('mount') ?? '';
  const link = findLink(query.get('from') ?? '', mount);
  if (link !== undefined) {
    addLink(name, mount, link);
    return { status: 201, headers: { Location: `/v2/${name}/blobs/${mount}` } };
  }
  const id = randomUUID();
  writeFileSync(uploadFile(id), '');
  return { status: 202, headers: { Location: `/v2/${name}/blobs/uploads/${id}` } };
}

/** PATCH /v2/NAME/blobs/uploads/ID brings a part of the blob, which goes behind those that have arrived. */
async function append({ request, name, which: id }: Question): Promise<Answer> {
  await pipeline(request, createWriteStream(uploadFile(id), { flags: 'a' }));
  const Range = `0-${statSync(uploadFile(id)).size - 1}`;
  return { status: 202, headers: { Location: `/v2/${name}/blobs/uploads/${id}`, Range } };
}

/** PUT /v2/NAME/blobs/uploads/ID?digest=DIGEST brings the last part, or nothing more, and the blob is complete. */
async function finish(question: Question): Promise<Answer> {
  await append(question);
  const { name, which: id, query } = question;
  const digest = digestOf(readFileSync(uploadFile(id)));
  if (digest !== query.get('digest')) {
    rmSync(uploadFile(id));
    return { status: 400, error: 'DIGEST_INVALID' };
  }
  renameSync(uploadFile(id), blobFile(digest));
  addLink(name, digest, { digest, type: BYTES });
  return { status: 201, headers: { Location: `/v2/${name}/blobs/${digest}` } };
}

/** PUT /v2/NAME/manifests/TAG: from now on, the tag leads to this manifest. */
async function putManifest({ request, name, which: tag }: Question): Promise<Answer> {
  const bytes = await buffer(request);
  const digest = digestOf(bytes);
  const lacks = partsOf(bytes).some(part => findLink(name, part.digest) === undefined);
  if (lacks) return { status: 400, error: 'MANIFEST_BLOB_UNKNOWN' };
  writeFileSync(blobFile(digest), bytes);
  const link = { digest, type: request.headers['content-type'] ?? BYTES };
  for (const reference of [tag, digest]) addLink(name, reference, link);
  return { status: 201, headers: { Location: `/v2/${name}/manifests/${digest}` } };
}

/** What must be there before the manifest: configuration and layers, or the manifests of an index. */
function partsOf(manifest: Buffer): Descriptor[] {
  const { config, layers = [], manifests = [] } = JSON.parse(manifest.toString());
  return [...(config === undefined ? [] : [config]), ...layers, ...manifests];
}

/** GET or HEAD of a blob or a manifest. */
function send({ name, which }: Question): Answer {
  const link = findLink(name, which);
  if (link === undefined) {
    return { status: 404, error: which.startsWith('sha256:') ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN' };
  }
  const file = blobFile(link.digest);
  const headers = { 'Content-Type': link.type, 'Docker-Content-Digest': link.digest };
  return { status: 200, headers: { ...headers, 'Content-Length': statSync(file).size }, file };
}

const NAME = '([a-z0-9]+(?:(?:[._-]+|/)[a-z0-9]+)*)';
const DIGEST = 'sha256:[0-9a-f]{64}';
const ROUTES: readonly [string, (question: Question) => Answer | Promise<Answer>][] = [
  ['(?:GET|HEAD) /v2/()()', () => ({ status: 200 })],
  [`(?:GET|HEAD) /v2/${NAME}/blobs/(${DIGEST})`, send],
  [`(?:GET|HEAD) /v2/${NAME}/manifests/(\\w[\\w.-]{0,127}|${DIGEST})`, send],
  [`POST /v2/${NAME}/blobs/uploads/()`, begin],
  [`PATCH /v2/${NAME}/blobs/uploads/([\\w-]+)`, append],
  [`PUT /v2/${NAME}/blobs/uploads/([\\w-]+)`, finish],
  [`PUT /v2/${NAME}/manifests/(\\w[\\w.-]{0,127}|${DIGEST})`, putManifest],
];

async function answer(request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://registry');
  for (const [pattern, handle] of ROUTES) {
    const found = new RegExp(`^${pattern}$`).exec(`${request.method} ${pathname}`);
    if (found !== null) return handle({ request, name: found[1]!, which: found[2]!, query });
  }
  return { status: 404, error: 'UNSUPPORTED' };
}

createServer(async (request, response) => {
  const { status, headers, file, error } = await answer(request).catch((reason): Answer => {
    console.error(reason);
    return { status: 500, error: 'UNKNOWN' };
  });
  const errors = [{ code: error, message: `${request.method} ${request.url}` }];
  response.writeHead(status, headers ?? {});
  if (request.method === 'HEAD') response.end();
  else if (file === undefined) response.end(error === undefined ? '' : JSON.stringify({ errors }));
  else createReadStream(file).pipe(response);
}).listen(Number(port), '127.0.0.1');
