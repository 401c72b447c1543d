// The API over TCP with TLS: who is let in, and that everything works for them that works over the unix socket.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasDocker } from './support/building.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';

const HOST = 'tcp://127.0.0.1:2376';

/** The machine's own openssl is asked for certificates, as administrators do. */
class Authority implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'mini-docker-tls-'));
  readonly ca = this.#path('ca.pem');

  constructor() {
    this.#openssl('req', '-x509', '-nodes', '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=ca');
    writeFileSync(this.#path('names'), 'subjectAltName=IP:127.0.0.1\n');
  }

  /** The certificate of `name`, and its key. */
  sign(name: string, more: string[] = []): { cert: string; key: string } {
    this.#openssl(
      'req',
      '-nodes',
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', 'names'];
    this.#openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by, ...more);
    return { cert: this.#path(`${name}.pem`), key: this.#path(`${name}-key.pem`) };
  }

  /** As DOCKER_CERT_PATH wants it. */
  folderFor(name: string, ca = this.ca): string {
    const folder = this.#path(`folder-${name}`);
    mkdirSync(folder);
    const { cert, key } = this.sign(name);
    execFileSync('cp', [ca, join(folder, 'ca.pem')]);
    execFileSync('cp', [cert, join(folder, 'cert.pem')]);
    execFileSync('cp', [key, join(folder, 'key.pem')]);
    return folder;
  }

  #path(name: string): string {
    return join(this.directory, name);
  }

  #openssl(command: string, ...args: string[]): void {
    const key = command === 'req' ? ['-newkey', 'rsa:2048'] : [];
    execFileSync('openssl', [command, ...key, ...args], {
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

let ours: Authority;
let strangers: Authority;
let daemon: TestDaemon;

beforeAll(async () => {
  ours = new Authority();
  strangers = new Authority();
  const { cert, key } = ours.sign('daemon');
  const args = ['--tlsverify', '--tlscacert', ours.ca, '--tlscert', cert, '--tlskey', key, '--host', HOST];
  daemon = await startDaemon({ args });
});
afterAll(async () => {
  await daemon?.stop();
  for (const each of [ours, strangers]) each?.[Symbol.dispose]();
});

/** In the daemon's network namespace. */
async function inItsNetwork(
  command: string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn('nsenter', ['-t', String(daemon.namespaces), '-n', ...command], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', DOCKER_HOST: HOST, ...options.env },
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.end(options.input);
  const code = new Promise<number | null>(done => child.on('close', done));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, err };
}

const verified = (certificates: string) => ({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates });

describe.each([
  { name: 'mini-docker', command: [NODE, MAIN], there: true },
  { name: 'docker', command: ['docker'], there: hasDocker },
])('$name, with a certificate that the daemon trusts', ({ name, command, there }) => {
  test.skipIf(!there)('runs containers, with input and output to their ends', async () => {
    const env = verified(ours.folderFor(`client-${name}`));
    expect((await inItsNetwork([...command, 'ps', '-q'], { env })).code).toBe(0);
    const run = [...command, 'run', '--rm', '-i', '--net', 'none', 'busybox', 'cat'];
    const typed = 'typed\n'.repeat(50_000);
    const { code, out } = await inItsNetwork(run, { env, input: typed });
    expect({ code, whole: out === typed }).toEqual({ code: 0, whole: true });
  });
});

test('flags say the same as the variables', async () => {
  const { cert, key } = ours.sign('by-flags');
  const flags = ['--tlsverify', '--tlscacert', ours.ca, '--tlscert', cert, '--tlskey', key];
  expect(
    await inItsNetwork([NODE, MAIN, ...flags, 'version', '--format', '{{.Server.Version}}']),
  ).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d/),
  });
});

describe('a client is refused', () => {
  test.each([
    ['without a certificate', () => ['--tls', '--tlscacert', ours.ca], /certificate required/],
    [
      'with a certificate of another authority',
      () => {
        const { cert, key } = strangers.sign('stranger');
        return ['--tls', '--tlscert', cert, '--tlskey', key];
      },
      /mini-docker: /,
    ],
    [
      'with a certificate that has expired',
      () => {
        const { cert, key } = ours.sign('expired', ['-days', '0']);
        return ['--tls', '--tlscert', cert, '--tlskey', key];
      },
      /mini-docker: /,
    ],
    ['without TLS', () => [], /mini-docker: /],
  ])('a client %s', async (_, flags, message) => {
    const { code, out, err } = await inItsNetwork([NODE, MAIN, ...flags(), 'ps']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  test.each(['TLSv1', 'TLSv1.1'])('a client that speaks %s only', async version => {
    const { cert, key } = ours.sign(version);
    const script = `const [cert, key] = ['${cert}', '${key}'].map(path => require('fs').readFileSync(path));
      const only = { minVersion: '${version}', maxVersion: '${version}', ciphers: 'DEFAULT@SECLEVEL=0' };
      require('tls').connect({ port: 2376, cert, key, rejectUnauthorized: false, ...only })
        .on('secureConnect', () => console.log('spoken to')).on('error', error => console.log(error.code));`;
    const { out } = await inItsNetwork([NODE, '-e', script]);
    expect(out).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION\n');
  });

  test('a daemon whose certificate another authority has signed is refused', async () => {
    const env = verified(ours.folderFor('careful', strangers.ca));
    const { code, err } = await inItsNetwork([NODE, MAIN, 'ps'], { env });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('certificate') });
  });
});

test('files that are not there, or do not fit, are one line at the start', async () => {
  const { cert } = ours.sign('one');
  const { key } = ours.sign('other');
  const start = (...tls: string[]) =>
    inItsNetwork([
      ...[
        NODE,
        MAIN,
        'daemon',
        '--data-root',
        join(ours.directory, 'd'),
        '--run-dir',
        join(ours.directory, 'r'),
      ],
      ...['--host', 'tcp://127.0.0.1:2377', '--tls', ...tls],
    ]);
  expect(await start('--tlscert', '/no/such')).toMatchObject({
    code: 1,
    err: "mini-docker: cannot read the TLS certificate: ENOENT: no such file or directory, open '/no/such'\n",
  });
  const { code, err } = await start('--tlscert', cert, '--tlskey', key);
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/^mini-docker: cannot use .*mismatch\n$/),
  });
});

test('TCP without TLS works, and the log says what that means', async () => {
  await using open = await startDaemon({ args: ['--host', 'tcp://127.0.0.1:2375'] });
  await expect.poll(() => open.log()).toContain('everyone who reaches it is root on this machine');
});
