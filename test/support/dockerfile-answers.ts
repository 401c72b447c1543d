// The result of building a Dockerfile, with our daemon or dockerd: the image's configuration and its tree,
// as text.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildContext } from '../../mini-docker/cli/copy/build-context.ts';
import type { TarEntry } from '../../mini-docker/formats/tar/entry.ts';
import { createTarReader } from '../../mini-docker/formats/tar/reader.ts';
import { buildBody } from './building.ts';
import { engineClient } from './engine-client.ts';

export const DOCKERFILES = resolve(import.meta.dirname, '../dockerfiles');

/** Path of dockerd's recorded answer. */
export const expectedPath = (project: string): string => join(DOCKERFILES, 'expected', `${project}.txt`);

/** Names of the directories that contain a Dockerfile. */
export const projects = (): string[] =>
  readdirSync(DOCKERFILES, { withFileTypes: true })
    .filter(each => each.isDirectory() && !['bases', 'expected'].includes(each.name))
    .map(each => each.name);

/** Stand-ins for the base images of the Dockerfiles, all alike. */
const BASES = [
  ...['debian:bookworm-slim', 'debian:bookworm-20241016-slim', 'alpine:3.20', 'node:20-alpine'],
  ...['golang:1.22', 'python:3.12-slim', 'php:8.2-apache'],
].map(name => `stand-in/${name}`);

type Daemon = { socket: string };

/** Builds the stand-ins; needs an image busybox. */
export async function buildBases(daemon: Daemon): Promise<void> {
  await build(daemon, 'bases', BASES.map(name => `t=${name}`).join('&'));
}

async function build(daemon: Daemon, name: string, query = ''): Promise<string> {
  const { body } = await buildContext({
    source: join(DOCKERFILES, name),
    file: undefined,
    stdin: () => process.stdin,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const { id, error } = await buildBody(daemon, Buffer.concat(chunks), query);
  if (error !== undefined) throw new Error(`${name}: ${error}`);
  return id;
}

/** The configuration as JSON, then a line for each file that busybox lacks, or has in a different form. */
export async function answerOf(daemon: Daemon, name: string): Promise<string> {
  const engine = engineClient(daemon);
  const id = await build(daemon, name);
  const { Config, Author, Architecture, Os } = await engine.json<Record<string, object>>(
    'GET',
    `/images/${id}/json`,
  );
  const config = JSON.stringify(
    sorted({ Author, Architecture, Os, Config: withoutContainers(Config!) }),
    null,
    2,
  );
  const [tree, below] = [await treeOf(engine, id), await treeOf(engine, 'busybox')];
  const own = [...tree].filter(([path, line]) => below.get(path) !== line).map(([, line]) => line);
  const gone = !tree.has('bin/busybox') ? [] : [...below.keys()].filter(path => !tree.has(path));
  return [config, ...own.sort(), ...gone.map(path => `- ${path}`), ''].join('\n');
}

/** Removes fields that describe a container, or the intermediate images of a build. */
function withoutContainers(config: object): object {
  const { Hostname, Domainname, Image, AttachStdin, AttachStdout, AttachStderr, ...rest } = config as Record<
    string,
    unknown
  >;
  const { Tty, OpenStdin, StdinOnce, ArgsEscaped, ...image } = rest;
  // Docker writes null, {} or no field at all for an empty value.
  return Object.fromEntries(
    Object.entries(image).filter(
      ([, value]) =>
        value !== null &&
        value !== '' &&
        !(Array.isArray(value) && value.length === 0) &&
        JSON.stringify(value) !== '{}',
    ),
  );
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

/** Mount points, which a daemon creates for itself. */
const PLACES = /^(?:\.dockerenv|etc\/(?:hosts|hostname|resolv\.conf|mtab)|(?:dev|proc|sys)(?:\/.*)?)$/;

/** Type, mode, owner and contents by path. Times are left out. */
async function treeOf(engine: ReturnType<typeof engineClient>, image: string): Promise<Map<string, string>> {
  const container = await engine.create(['true'], { Image: image });
  const { body } = await engine.ask('GET', `/containers/${container}/export`);
  await engine.ask('DELETE', `/containers/${container}?v=1`);
  const lines = new Map<string, string>();
  let current: TarEntry | undefined;
  let hash = createHash('sha256');
  const reader = createTarReader({
    entry(entry) {
      current = entry;
      hash = createHash('sha256');
    },
    data: bytes => void hash.update(bytes),
    end: () => note(hash.digest('hex').slice(0, 16)),
  });
  const note = (content: string) => {
    const { path, type, mode, uid, gid, linkname = '' } = current!;
    if (PLACES.test(path)) return;
    // /etc/shadow contains the day on which a password was changed.
    const own = type === 'file' && !path.startsWith('etc/shadow') ? content : '';
    const target = linkname === '' ? own : `-> ${linkname}`;
    const line = [path, type, mode.toString(8), `${uid}:${gid}`, target].join(' ').trimEnd();
    lines.set(path, line);
  };
  reader.write(body);
  return lines;
}
