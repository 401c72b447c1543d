// Attacks on the daemon itself: through its socket, through images that it reads, through files that it copies, and
// through what containers write. And the confinement of containers as `mini-docker run` makes them.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { readStatus } from '../../mini-docker/linux/proc/status.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-attack-'));
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function miniDocker(...args: string[]): Promise<Ended> {
  const env = { ...process.env, DOCKER_HOST: daemon.host };
  return new Promise(done => {
    execFile(NODE, [MAIN, ...args], { env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** What comes until the daemon ends the connection. */
async function answerTo(bytes: string): Promise<string> {
  const socket = connect(daemon.socket);
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

interface Reply {
  status: number;
  text: string;
}

function api(method: string, path: string, body?: string | Buffer): Promise<Reply> {
  const type = typeof body === 'string' ? 'application/json' : 'application/x-tar';
  return new Promise((done, failed) => {
    const headers = body === undefined ? {} : { 'content-type': type };
    const asked = request({ socketPath: daemon.socket, method, path, headers, agent: false }, async reply => {
      let text = '';
      for await (const chunk of reply.setEncoding('utf8')) text += chunk;
      done({ status: reply.statusCode!, text });
    });
    asked.on('error', failed).end(body);
  });
}

async function start(name: string, options: string[], ...command: string[]): Promise<number> {
  const program = command.length > 0 ? command : ['sleep', '600'];
  const { code, stderr } = await miniDocker(
    'run',
    '-d',
    '--name',
    name,
    '--net',
    'none',
    ...options,
    'busybox',
    ...program,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return Number((await miniDocker('inspect', '-f', '{{.State.Pid}}', name)).stdout);
}

describe('a container of mini-docker run', () => {
  test('is under the filter, and is not with --privileged or seccomp=unconfined', async () => {
    const cases: [string[], string][] = [
      [[], 'filter'],
      [['--security-opt', 'seccomp=unconfined'], 'disabled'],
      [['--privileged'], 'disabled'],
      [['--security-opt', 'seccomp=builtin', '--init'], 'filter'],
      [['--user', '1000'], 'filter'],
    ];
    for (const [index, [options, wanted]] of cases.entries()) {
      const pid = await start(`filter-${index}`, options);
      expect(readStatus(pid)!.seccomp, options.join(' ')).toBe(wanted);
      await miniDocker('rm', '-f', `filter-${index}`);
    }
  });

  test('is under a profile of its own, also what is executed in it, and after a restart of the daemon', async () => {
    const file = join(scratch, 'profile.json');
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 };
    writeFileSync(file, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }, null, 2));
    await start('profile', ['--security-opt', `seccomp=${file}`]);
    const attempt = () => miniDocker('exec', 'profile', 'mkdir', '/x');
    expect((await attempt()).stderr).toContain('Function not implemented');
    await daemon.end('SIGKILL');
    await daemon.begin();
    expect((await attempt()).stderr).toContain('Function not implemented');
    await miniDocker('rm', '-f', 'profile');
  });

  test('is not made with a profile that cannot be read or compiled', async () => {
    const create = (profile: string) =>
      api(
        'POST',
        '/containers/create',
        JSON.stringify({ Image: 'busybox', HostConfig: { SecurityOpt: [`seccomp=${profile}`] } }),
      );
    for (const profile of [
      '{',
      '{"defaultAction":"SCMP_ACT_MAYBE"}',
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":7}',
    ]) {
      const { status, text } = await create(profile);
      expect(status).toBe(400);
      expect(text).toMatch(/Decoding seccomp profile failed: /);
    }
  });

  test('gains no rights with no-new-privileges', async () => {
    const pid = await start('nnp', ['--security-opt', 'no-new-privileges']);
    expect(readStatus(pid)!.noNewPrivs).toBe(true);
    await miniDocker('rm', '-f', 'nnp');
  });
});

describe('cp', () => {
  test('follows links of the container inside of it only, to and from (CVE-2018-15664)', async () => {
    const victim = join(scratch, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'file'), 'secret');
    const script = `ln -s ${victim} /link; ln -s ${victim}/file /file; mkdir -p ${victim}; echo inside > ${victim}/file; sleep 600`;
    for (const running of [true, false]) {
      const name = `cp-${running}`;
      await start(name, [], 'sh', '-c', script);
      await sleep(300);
      if (!running) await miniDocker('stop', '-t', '0', name);
      const from = await miniDocker('cp', `${name}:/link/file`, '-');
      expect(from.stdout, from.stderr).toContain('inside');
      expect(from.stdout).not.toContain('secret');
      writeFileSync(join(scratch, 'new'), 'planted');
      await miniDocker('cp', join(scratch, 'new'), `${name}:/link/new`);
      await miniDocker('cp', join(scratch, 'new'), `${name}:/link/file`);
      expect(readdirSync(victim)).toEqual(['file']);
      expect(readFileSync(join(victim, 'file'), 'utf8')).toBe('secret');
      await miniDocker('rm', '-f', name);
    }
  });

  test('is not misled by a container that exchanges a directory and a link while it copies', async () => {
    const victim = join(scratch, 'raced');
    mkdirSync(victim);
    writeFileSync(join(victim, 'file'), 'secret');
    const script = `mkdir /dir ${victim} -p; echo inside > /dir/file; ln -s ${victim} /link
      while :; do mv /dir /saved; mv /link /dir; mv /dir /link; mv /saved /dir; done`;
    await start('raced', [], 'sh', '-c', script);
    const archive = tarOf({ path: 'planted', content: 'planted' });
    for (let count = 0; count < 150; count++) {
      const [got] = await Promise.all([
        api('GET', '/containers/raced/archive?path=/dir/file'),
        api('PUT', '/containers/raced/archive?path=/dir', archive),
      ]);
      expect(got.text).not.toContain('secret');
    }
    expect(readdirSync(victim)).toEqual(['file']);
    await miniDocker('rm', '-f', 'raced');
  });

  test('and load run nothing and load no library that a container has planted (CVE-2019-14271)', async () => {
    const script = `mkdir -p /lib/x86_64-linux-gnu /usr/bin /usr/local/bin
      for f in /lib/libnss_files.so.2 /lib/x86_64-linux-gnu/libnss_files.so.2 /usr/bin/unpigz /usr/bin/xz /usr/local/bin/xz /bin/tar; do
        printf '#!/bin/sh\\necho ran > /ran\\n' > $f; chmod 755 $f; done; echo planted; sleep 600`;
    await start('planter', [], 'sh', '-c', script);
    await expect.poll(async () => (await miniDocker('logs', 'planter')).stdout).toBe('planted\n');
    writeFileSync(join(scratch, 'small'), 'x');
    expect((await miniDocker('cp', join(scratch, 'small'), 'planter:/tmp/small')).code).toBe(0);
    expect((await miniDocker('cp', 'planter:/tmp/small', join(scratch, 'back'))).code).toBe(0);
    expect((await miniDocker('export', '-o', join(scratch, 'export.tar'), 'planter')).code).toBe(0);
    expect((await miniDocker('exec', 'planter', 'test', '-e', '/ran')).code).toBe(1);
    expect(readFileSync(`/proc/${daemon.pid}/maps`, 'utf8')).not.toMatch(/libnss|planter/);
    await miniDocker('rm', '-f', 'planter');
  });

  test('of an archive with hostile names writes nowhere outside', async () => {
    await start('archive', []);
    const outside = join(scratch, 'outside');
    const archives = [
      tarOf({ path: `../../../../../../../../..${outside}`, content: 'evil' }),
      tarOf({ path: outside, content: 'evil' }),
      tarOf({ path: 'l', type: 'symlink', target: scratch } as never, { path: 'l/outside', content: 'evil' }),
    ];
    for (const archive of archives) {
      const { status } = await api('PUT', '/containers/archive/archive?path=/tmp', archive);
      expect([200, 400, 403, 404, 500]).toContain(status);
      expect(existsSync(outside)).toBe(false);
    }
    await miniDocker('rm', '-f', 'archive');
  });
});

/** An image as `docker save` writes it, with a configuration of our choice. */
function imageArchive(config: unknown, tag: string): Buffer {
  const layer = tarOf({ path: 'hello', content: 'hello' });
  const digest = createHash('sha256').update(layer).digest('hex');
  const own = typeof config === 'string' ? { nested: 0 } : (config as object);
  const text = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    ...own,
  }).replace('"nested":0', typeof config === 'string' ? config : '"nested":0');
  const id = createHash('sha256').update(text).digest('hex');
  return tarOf(
    { path: `${id}.json`, content: text },
    { path: 'layer.tar', content: layer },
    {
      path: 'manifest.json',
      content: JSON.stringify([{ Config: `${id}.json`, RepoTags: [tag], Layers: ['layer.tar'] }]),
    },
  );
}

describe('an image', () => {
  const hostile: [string, unknown][] = [
    ['env of numbers', { config: { Env: [1, 2] } }],
    ['env with NUL', { config: { Env: ['A=1\0B=2'] } }],
    ['env without a name', { config: { Env: ['=x', ''] } }],
    [
      'a million variables',
      { config: { Env: Array.from({ length: 1_000_000 }, (_, index) => `V${index}=x`) } },
    ],
    ['a very long variable', { config: { Env: [`A=${'x'.repeat(3_000_000)}`] } }],
    ['a command that is text', { config: { Cmd: 'sh' } }],
    ['an empty command', { config: { Cmd: [''] } }],
    ['a working directory outside', { config: { Cmd: ['sh'], WorkingDir: '../../../../etc' } }],
    ['a working directory in /proc', { config: { Cmd: ['sh'], WorkingDir: '/proc/self/fd/7' } }],
    ['a working directory too long', { config: { Cmd: ['sh'], WorkingDir: `/${'x/'.repeat(5000)}` } }],
    ['a user that is a list', { config: { Cmd: ['sh'], User: ['root'] } }],
    ['a user out of range', { config: { Cmd: ['sh'], User: '99999999999' } }],
    ['volumes outside', { config: { Cmd: ['sh'], Volumes: { '../../../..': {}, '/': {} } } }],
    ['a volume over /proc', { config: { Cmd: ['sh'], Volumes: { '/proc/sys': {} } } }],
    ['ports that are none', { config: { Cmd: ['sh'], ExposedPorts: { '99999/tcp': {}, 'x/y': {} } } }],
    ['labels that are a list', { config: { Cmd: ['sh'], Labels: ['a'] } }],
    [
      'a prototype',
      JSON.parse(
        '{"config": {"Cmd": ["sh"], "Labels": {"__proto__": "x"}, "__proto__": {"polluted": true}}}',
      ),
    ],
    [
      'a health check without end',
      { config: { Cmd: ['sh'], Healthcheck: { Test: ['CMD', 'x'], Interval: -1, Retries: 1e300 } } },
    ],
    ['layers that are missing', { rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } }],
    ['layers that are paths', { rootfs: { type: 'layers', diff_ids: ['sha256:../../../../etc/passwd'] } }],
    ['deep nesting', `"config": ${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ];

  test.each(hostile)('with %s is refused or harmless', async (name, config) => {
    const tag = `hostile:${name.replaceAll(/\W/g, '-')}`;
    const loaded = await api('POST', '/images/load', imageArchive(config, tag));
    expect(loaded.status).toBeLessThan(501);
    expect(loaded.text).not.toMatch(/\n\s+at /);
    const created = await api(
      'POST',
      '/containers/create',
      JSON.stringify({ Image: tag, HostConfig: { NetworkMode: 'none' } }),
    );
    expect(created.text).not.toMatch(/\n\s+at /);
    expect([201, 400, 404, 500]).toContain(created.status);
    if (created.status === 201) {
      const { Id } = JSON.parse(created.text);
      const started = await api('POST', `/containers/${Id}/start`);
      // There is no program in it, so it cannot run; and it says so in one line.
      expect(started.status).toBeGreaterThanOrEqual(400);
      expect(started.text).not.toMatch(/\n\s+at /);
      expect((await api('DELETE', `/containers/${Id}?force=1&v=1`)).status).toBe(204);
    }
    expect((await api('GET', '/_ping')).status).toBe(200);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('the socket', () => {
  test("is root's and its group's, and there is no other way in", () => {
    expect(statSync(daemon.socket).mode & 0o777).toBe(0o660);
    expect(statSync(daemon.socket).uid).toBe(0);
    for (const table of ['tcp', 'tcp6']) {
      // 0A is LISTEN.
      const listening = readFileSync(`/proc/${daemon.pid}/net/${table}`, 'utf8')
        .split('\n')
        .filter(line => line.trim().split(/\s+/)[3] === '0A');
      expect(listening).toEqual([]);
    }
  });

  test("only root can read the daemon's files", () => {
    expect(statSync(daemon.runDir).mode & 0o006).toBe(0);
    for (const directory of [daemon.dataRoot]) expect(statSync(directory).mode & 0o007, directory).toBe(0);
  });

  test.each([
    ['nonsense', 'GARBAGE\0\xff\r\n\r\n'],
    ['a header without end', `GET /_ping HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(1 << 20)}`],
    [
      'two lengths',
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello',
    ],
    [
      'a length and chunks',
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    ],
    [
      'a body that is cut off',
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Image":',
    ],
    ['a path outside', 'GET /v1.47/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    [
      'an id that is a path',
      'GET /containers/..%2f..%2f..%2fetc/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ],
  ])('gets %s and answers others', async (_, bytes) => {
    const answer = await new Promise<string>(done => {
      const socket = connect(daemon.socket);
      let text = '';
      socket.on('data', data => {
        text += data;
      });
      socket.on('error', () => done(text)).on('close', () => done(text));
      socket.write(bytes, 'latin1', () => setTimeout(() => socket.destroy(), 300));
    });
    expect(answer).not.toMatch(/^HTTP\/1.1 20/);
    expect(answer).not.toContain('root:');
    expect((await api('GET', '/_ping')).status).toBe(200);
  });

  test('takes bodies of bounded size and depth', async () => {
    const huge = await api(
      'POST',
      '/containers/create',
      JSON.stringify({ Image: 'x'.repeat(20 << 20) }),
    ).catch(() => undefined);
    expect(huge?.status ?? 400).toBeGreaterThanOrEqual(400);
    const deep = await api(
      'POST',
      '/containers/create',
      `{"Image":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    );
    expect(deep.status).toBe(400);
    expect((await api('GET', '/_ping')).status).toBe(200);
  });

  test('is not held by clients that say nothing', async () => {
    const idle = Array.from({ length: 300 }, () => connect(daemon.socket).on('error', () => {}));
    await sleep(200);
    expect((await api('GET', '/_ping')).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });

  test('lets go of clients that do not come to the point', { timeout: 60_000 }, async () => {
    const answers = ['', 'GET /_ping HTTP/1.1\r\nHost:'].map(answerTo);
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });
});

test("a link at the place of a container's files leads the daemon nowhere", async () => {
  // Whoever controls the volume of one container must not reach another's by its name.
  const target = join(scratch, 'target');
  mkdirSync(target);
  symlinkSync(target, join(scratch, 'link'));
  const names = ['../../etc', '..', '/etc/passwd', 'a/b', '.', 'x\0y'];
  for (const Name of names) {
    const { status } = await api('POST', '/volumes/create', JSON.stringify({ Name }));
    expect(status, JSON.stringify(Name)).toBe(400);
  }
  for (const name of names.slice(0, 4)) {
    const { status } = await api(
      'POST',
      `/containers/create?name=${encodeURIComponent(name)}`,
      JSON.stringify({ Image: 'busybox' }),
    );
    expect(status, name).toBe(400);
  }
});

test('inspect --security tells what a container may do, and what a process of the host may', async () => {
  await start('told', ['-m', '64m', '--pids-limit', '50']);
  const { stdout } = await miniDocker('inspect', '--security', '--format', 'json', 'told');
  const { container, host } = JSON.parse(stdout);
  expect(container.namespaces.own).toEqual(expect.arrayContaining(['pid', 'mnt', 'net', 'ipc', 'uts']));
  expect(host.namespaces.own).toEqual([]);
  expect(container.capabilities.effective).toContain('CHOWN');
  expect(container.capabilities.effective).not.toContain('SYS_ADMIN');
  expect(host.capabilities.effective).toContain('SYS_ADMIN');
  expect(container.seccomp.refused).toEqual(expect.arrayContaining(['mount', 'keyctl', 'bpf', 'setns']));
  expect(container.seccomp.hidden).toContain('clone3');
  expect(container.seccomp.conditional).toEqual(expect.arrayContaining(['clone', 'socket', 'personality']));
  expect(container.masked).toEqual(expect.arrayContaining(['/proc/keys']));
  expect(container.readonly).toEqual(expect.arrayContaining(['/proc/sys', '/sys']));
  expect(container.cgroup).toMatchObject({ memory: 64 * 2 ** 20, pids: 50 });
  const table = (await miniDocker('inspect', '--security', 'told')).stdout;
  expect(table).toMatch(/^shared with the host\s+(cgroup )?user time\s+pid mnt net ipc/m);
  expect(table).toMatch(/^capabilities\s+CHOWN DAC_OVERRIDE.*\d+ of \d+/m);
  expect(Math.max(...table.split('\n').map(line => line.length))).toBeLessThanOrEqual(130);
  await miniDocker('rm', '-f', 'told');
  expect((await miniDocker('inspect', '--security', 'told')).stderr).toMatch(/No such container: told/);
});
