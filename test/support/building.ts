// Builds for end-to-end tests: contexts in temporary directories, and the commands that build them.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { encodeEntry } from '../../mini-docker/formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from '../../mini-docker/formats/tar/entry.ts';
import { MAIN, NODE, type TestDaemon } from './daemon.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Context extends Disposable {
  path: string;
  /** Creates or replaces files: { 'a/b': 'content' }. */
  write(files: Record<string, string>): void;
}

export function newContext(files: Record<string, string> = {}): Context {
  const path = mkdtempSync(join(tmpdir(), 'mini-docker-context-'));
  const write = (more: Record<string, string>) => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
  };
  write(files);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface RunOptions {
  cwd?: string;
  input?: string | Buffer;
  env?: Record<string, string>;
}

/** Runs our own command against the daemon. */
export const ours = (daemon: TestDaemon, args: string[], options: RunOptions = {}): Promise<Ran> =>
  run([NODE, MAIN, ...args], { ...options, env: { DOCKER_HOST: daemon.host, ...options.env } });

/** Docker's own command, with its classic builder. */
export const dockers = (daemon: TestDaemon, args: string[], options: RunOptions = {}): Promise<Ran> =>
  run(['docker', ...args], {
    ...options,
    env: { DOCKER_HOST: daemon.host, DOCKER_BUILDKIT: '0', ...options.env },
  });

export const hasDocker = (process.env.PATH ?? '').split(':').some(path => existsSync(join(path, 'docker')));

function run([program, ...args]: string[], { cwd, input, env }: RunOptions): Promise<Ran> {
  return new Promise(done => {
    const child = execFile(
      program!,
      args,
      { cwd: cwd ?? ROOT, env: { ...process.env, ...env }, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        done({ code, stdout, stderr });
      },
    );
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

/** Sends a POST with a body of bytes; returns the answer as text. */
export function post(
  daemon: Pick<TestDaemon, 'socket'>,
  path: string,
  body: Buffer,
): Promise<{ status: number; text: string }> {
  return new Promise((done, failed) => {
    const asked = request(
      {
        socketPath: daemon.socket,
        method: 'POST',
        path,
        agent: false,
        headers: { 'Content-Type': 'application/x-tar' },
      },
      async reply => {
        let text = '';
        for await (const chunk of reply.setEncoding('utf8')) text += chunk;
        done({ status: reply.statusCode!, text });
      },
    );
    asked.on('error', failed).end(body);
  });
}

const SERVER = `
const { createServer } = require('node:http');
createServer((asked, reply) => {
  if (asked.url === '/missing') reply.writeHead(404).end();
  else reply.writeHead(200, { 'Last-Modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }).end('from afar');
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

/** Starts a web server in the daemon's network namespace. */
export async function serverIn(daemon: TestDaemon): Promise<{ url: string } & AsyncDisposable> {
  const node = [NODE, '-e', SERVER];
  const server = spawn('nsenter', ['-t', String(daemon.namespaces), '-n', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise(done => server.once('exit', done));
  const port = await new Promise<string>(done =>
    server.stdout.once('data', data => done(String(data).trim())),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}

export interface Built {
  /** The texts of the build's stream. */
  text: string;
  /** The error message of a failed build. */
  error?: string;
  code?: number;
  /** Id of the image. */
  id: string;
}

/** A file of a context: its text, or a tar entry with further fields. */
export type ContextFile = string | Buffer | Partial<TarEntry>;

/** Builds over the API, without starting a command; the context is packed in memory. */
export async function buildOf(
  daemon: Pick<TestDaemon, 'socket'>,
  files: Record<string, ContextFile>,
  query = '',
): Promise<Built> {
  return buildBody(daemon, contextOf(files), query);
}

/** The same for a context that is already a tar archive. */
export async function buildBody(
  daemon: Pick<TestDaemon, 'socket'>,
  body: Buffer,
  query: string,
): Promise<Built> {
  const { text } = await post(daemon, `/build?${query}`, body);
  const built: Built = { text: '', id: '' };
  for (const line of text.split('\n').filter(Boolean)) {
    const message = JSON.parse(line);
    built.text += message.stream ?? '';
    built.id = message.aux?.ID ?? built.id;
    if (message.message !== undefined) built.error = message.message;
    if (message.errorDetail === undefined) continue;
    built.error = message.errorDetail.message;
    built.code = message.errorDetail.code;
  }
  return built;
}

/** The tar of a build's context; files are root's, with mode 644. */
export function contextOf(files: Record<string, ContextFile>): Buffer {
  const plain = { type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n } as const;
  const parts = Object.entries(files).flatMap(([path, file]) => {
    if (typeof file === 'object' && !Buffer.isBuffer(file)) return [encodeEntry({ ...plain, path, ...file })];
    const content = Buffer.from(file);
    const entry = { ...plain, path, size: content.length };
    return [encodeEntry(entry), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}
