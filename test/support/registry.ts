// Debian's packaged registry (docker-registry), in the network of a daemon under test.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './engine-client.ts';

export interface TestRegistry {
  /** Host and port: 'localhost:5000'. */
  host: string;
  process: ChildProcess;
  /** Returns 'GET /v2/… 200' for each request since the last call. */
  requests(): string[];
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** An empty directory for the registry's files, which the caller removes. */
  directory: string;
  port: number;
  /** Process id of a process in the network namespace where the registry listens. */
  network: number;
  /** Lines of an htpasswd file (bcrypt), one per user; without it, everyone may use the registry. */
  users?: string;
}

export async function startRegistry(options: RegistryOptions): Promise<TestRegistry> {
  const { directory, port, network, users } = options;
  mkdirSync(directory, { recursive: true });
  const passwords = join(directory, 'htpasswd');
  if (users !== undefined) writeFileSync(passwords, users);
  const config = join(directory, 'config.yml');
  // The file is YAML, which includes JSON.
  const auth = { htpasswd: { realm: 'test', path: passwords } };
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { accesslog: { disabled: false }, level: 'error' },
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: `127.0.0.1:${port}` },
      ...(users === undefined ? {} : { auth }),
    }),
  );
  const inside = ['-t', String(network), '-n', 'docker-registry', 'serve', config];
  const process = spawn('nsenter', inside, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [process.stdout, process.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const ask = ['-t', String(network), '-n', 'bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`];
  await eventually(
    () => new Promise<number | null>(done => spawn('nsenter', ask).on('close', done)),
    code => {
      if (process.exitCode !== null) throw new Error(`docker-registry ended:\n${log}`);
      return code === 0;
    },
    10_000,
  );
  let read = 0;
  return {
    host: `localhost:${port}`,
    process,
    requests() {
      // The common log format: … "GET /v2/ HTTP/1.1" 200 …
      const found = [...log.slice(read).matchAll(/"([A-Z]+ \S+) HTTP\/1\.1" (\d{3})/g)];
      read = log.length;
      return found.map(([, request, status]) => `${request} ${status}`);
    },
    async stop() {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const ended = new Promise(done => process.once('exit', done));
      process.kill('SIGKILL');
      await ended;
    },
  };
}
