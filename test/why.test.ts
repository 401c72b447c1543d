// `mini-docker why`: each sentence, by the situation that it tells of.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding, WhyReport } from '../mini-docker/formats/why-report.ts';
import { encodeElf } from '../mini-docker/linux/elf.ts';
import { hostArchitecture } from '../mini-docker/linux/step.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';
import { temporaryDevice } from './support/temporary-device.ts';

const run = promisify(execFile);

let daemon: TestDaemon;
let client: EngineClient;
/** Programs that do not run; in containers it is /p. */
let programs: string;

beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'mini-docker-why-'));
  chmodSync(programs, 0o755);
  const put = (name: string, content: string | Uint8Array, mode = 0o755) =>
    writeFileSync(join(programs, name), content, { mode });
  put('no-interpreter', '#!/opt/nowhere/python3\n');
  put('windows', '#!/bin/sh\r\necho\r\n');
  put('plain', 'echo\n');
  put('closed', '#!/bin/sh\n', 0o644);
  put('private', '#!/bin/sh\n', 0o700);
  copyFileSync(realpathSync('/bin/true'), join(programs, 'dynamic'));
  const foreign = readFileSync(realpathSync('/bin/true'));
  foreign.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
  put('foreign', foreign);
  // Reads from address 0.
  const code = Buffer.from(process.arch === 'x64' ? '31c08b00' : '000080d2000040f9', 'hex');
  put('crash', encodeElf({ architecture: hostArchitecture(), code }));
  mkdirSync(join(programs, 'directory'));
  mkdirSync(join(programs, 'locked'), { mode: 0o700 });
  put('locked/in', '#!/bin/sh\n');
  spawnSync('mkfifo', ['-m', '755', join(programs, 'fifo')]);
  symlinkSync('/p/circle', join(programs, 'circle'));

  // Headers that point out of the file.
  put('damaged', Buffer.concat([foreign.subarray(0, 32), Buffer.alloc(96, 0xff)]));
  daemon = await startDaemon();
  client = engineClient(daemon);
});
afterAll(async () => {
  await daemon.stop();
  rmSync(programs, { recursive: true, force: true });
});

const report = (container: string) => client.json<WhyReport>('GET', `/containers/${container}/why`);

async function finding(container: string, code: string): Promise<Finding> {
  const { findings } = await report(container);
  const found = findings.find(each => each.code === code);
  if (found === undefined) throw new Error(`no ${code} in ${JSON.stringify(findings, null, 1)}`);
  return found;
}

/** Its first finding, which is the cause. */
async function cause(container: string): Promise<Finding> {
  return (await report(container)).findings[0]!;
}

async function ended(name: string, cmd: string[], more: object = {}): Promise<void> {
  await client.run(cmd, { name, ...more });
  await client.wait(name);
}

const CLOCK = /at \d\d:\d\d:\d\d/;
const SHELL_LOOP = ['sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'];

/** One that ends at the first SIGTERM. */
async function obedient(name: string, more: object = {}): Promise<void> {
  await client.run(SHELL_LOOP, { name, ...more });
  await eventually(
    () => client.logs(name),
    log => log.includes('ready'),
  );
}

describe('why it ended', () => {
  test('its limit of memory: what was used, the limit, the time, the process', async () => {
    await ended('hungry', ['sh', '-c', 'exec tail /dev/zero'], { HostConfig: { Memory: 16 << 20 } });
    const { code, sentence, evidence, advice } = await cause('hungry');
    expect(code).toBe('oom-killed');
    expect(sentence).toMatch(
      /^hungry was killed by the kernel's OOM killer at \d\d:\d\d:\d\d: its processes used (16|15\.\d+)MiB, and its limit is 16MiB\.$/,
    );
    expect(evidence.join('\n')).toMatch(/it killed process \d+ \(tail\) at /);
    expect(advice).toContain('mini-docker update --memory 32m --memory-swap 32m hungry');
  });

  test('a child of its shell was killed for memory', async () => {
    await ended('parent', ['sh', '-c', 'tail /dev/zero; exit $?'], { HostConfig: { Memory: 16 << 20 } });
    const { code, sentence } = await cause('parent');
    expect([code, sentence]).toEqual(['oom-killed', expect.stringMatching(/^tail in parent was killed by/)]);
  });

  test('a group above it was out of memory, and it had no limit itself', async () => {
    const group = `mini-docker-why-${process.pid}`;
    const version1 = existsSync('/sys/fs/cgroup/memory');
    const directory = `/sys/fs/cgroup/${version1 ? 'memory/' : ''}${group}`;
    mkdirSync(directory);
    try {
      writeFileSync(`${directory}/memory.${version1 ? 'limit_in_bytes' : 'max'}`, String(16 << 20));
      await ended('below', ['tail', '/dev/zero'], { HostConfig: { CgroupParent: `/${group}` } });
      const { code, sentence, advice } = await cause('below');
      expect(code).toBe('oom-killed-by-group');
      expect(sentence).toContain(`the control group /${group}`);
      expect(advice).toContain(`Raise the limit of /${group}`);
      await client.ask('DELETE', '/containers/below?force=1');
    } finally {
      const places = version1 ? readdirSync('/sys/fs/cgroup').map(each => `${each}/${group}`) : [group];
      for (const each of places) spawnSync('rmdir', [`/sys/fs/cgroup/${each}`]);
    }
  });

  test('stop: by whom, with which signal, and when', async () => {
    await obedient('obedient');
    await client.json('POST', '/containers/obedient/stop?t=10');
    const { code, sentence } = await cause('obedient');
    expect(code).toBe('stopped-by-user');
    expect(sentence).toMatch(/'mini-docker stop'.* which sent SIGTERM at \d\d:\d\d:\d\d\.$/);
  });

  test('stop, whose signal the program ignored', async () => {
    await client.run(['sleep', '1000'], { name: 'deaf' });
    await client.json('POST', '/containers/deaf/stop?t=1');
    const { code, sentence, advice } = await cause('deaf');
    expect(code).toBe('stopped-by-force');
    expect(sentence).toMatch(
      /^deaf was killed at .*had sent it SIGTERM at .*, and it was still running 1(\.\d)? s later\.$/,
    );
    expect(advice).toContain('--init');
  });

  test('kill', async () => {
    await client.run(['sleep', '1000'], { name: 'killed' });
    await client.json('POST', '/containers/killed/kill');
    const { code, sentence } = await cause('killed');
    expect([code, sentence]).toEqual(['killed-by-user', expect.stringContaining('which sent SIGKILL at')]);
  });

  test('a signal that mini-docker did not send', async () => {
    await client.run(['sleep', '1000'], { name: 'struck' });
    process.kill((await client.inspect('struck')).State.Pid, 'SIGKILL');
    await client.wait('struck');
    const { code, sentence, advice } = await cause('struck');
    expect(code).toBe('ended-by-signal');
    expect(sentence).toMatch(/^struck was ended by SIGKILL at .*mini-docker was not asked to send it/);
    expect(advice).toContain('one on the host');
  });

  test('a crash of process 1, and of a child of its shell', async () => {
    const HostConfig = { Binds: [`${programs}:/p`] };
    await ended('crashed', ['/p/crash'], { HostConfig });
    expect(await cause('crashed')).toMatchObject({
      code: 'segmentation-fault',
      sentence: expect.stringContaining('crashed was ended by SIGSEGV'),
    });
    await ended('crashing', ['sh', '-c', '/p/crash; exit $?'], { HostConfig });
    const { code, evidence } = await cause('crashing');
    expect(code).toBe('segmentation-fault');
    expect(evidence).toContain('139 is 128 + 11; process 1 itself exited normally');
  });

  test.each([
    [0, 'finished', 'because its program finished'],
    [3, 'failed', 'it returned 3'],
    [125, 'code-125', 'with code 125'],
    [126, 'not-executable', 'could not be executed'],
    [127, 'command-not-found', 'was not found'],
  ])('code %i', async (status, code, words) => {
    await ended(`code${status}`, ['sh', '-c', `echo last words; exit ${status}`]);
    const found = await cause(`code${status}`);
    expect(found).toMatchObject({ code, sentence: expect.stringContaining(words) });
    expect(found.sentence).toMatch(CLOCK);
    if (status !== 0) expect(found.evidence).toContain('its log: last words');
  });

  test('its restarts, with their times', async () => {
    await client.run(['sh', '-c', 'exit 4'], {
      name: 'again',
      HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
    });
    await eventually(
      () => client.inspect('again'),
      ({ RestartCount, State }) => RestartCount === 2 && State.Status === 'exited',
    );
    const { sentence, evidence } = await finding('again', 'restart-loop');
    expect(sentence).toMatch(
      /^Its policy 'on-failure' has started again again 2 times, and it is not started again\. Its last runs took/,
    );
    expect(evidence).toHaveLength(3);
    expect(evidence[0]).toMatch(/^from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d: code 4$/);
  });

  test('a health check that fails, with its output', async () => {
    await client.run(['sleep', '1000'], {
      name: 'ill',
      Healthcheck: { Test: ['CMD-SHELL', 'echo no pulse; exit 1'], Interval: 5e7, Retries: 2 },
    });
    const found = await eventually(
      () => report('ill'),
      ({ findings }) => findings.some(({ sentence }) => sentence.includes('unhealthy')),
    );
    const { sentence, evidence } = found.findings.find(({ code }) => code === 'unhealthy')!;
    expect(sentence).toMatch(
      /^The health check of ill has failed \d+ times in a row, so that it is unhealthy: the last one returned 1 at/,
    );
    expect(evidence).toEqual(['the check: echo no pulse; exit 1', 'its output: no pulse']);
  });

  test('after a daemon that was killed', async () => {
    await ended('spent', ['tail', '/dev/zero'], { HostConfig: { Memory: 16 << 20 } });
    await obedient('halted');
    await client.json('POST', '/containers/halted/stop');
    await client.run(['sleep', '1000'], { name: 'survivor', HostConfig: { Memory: 16 << 20 } });
    await client.run(['sh', '-c', 'tail /dev/zero; sleep 1000'], {
      name: 'wounded',
      HostConfig: { Memory: 16 << 20 },
    });
    await eventually(
      () => report('wounded'),
      ({ findings }) => findings.some(({ code }) => code === 'oom-killed'),
    );
    await daemon.end('SIGKILL');
    // It ends while no daemon runs.
    const { pid } = JSON.parse(
      readFileSync(join(daemon.runDir, 'containers', await idOf('survivor'), 'state.json'), 'utf8'),
    ).container;
    process.kill(pid, 'SIGKILL');
    await daemon.begin();
    expect(await cause('survivor')).toMatchObject({ code: 'ended-by-signal' });
    expect(await cause('wounded')).toMatchObject({
      code: 'oom-killed',
      sentence: expect.stringMatching(/^tail in wounded was killed/),
    });
    expect(await cause('spent')).toMatchObject({
      code: 'oom-killed',
      advice: expect.stringContaining('32m'),
    });
    expect(await cause('halted')).toMatchObject({ code: 'stopped-by-user' });
  });
});

/** As on disk: no daemon is asked. */
async function idOf(name: string): Promise<string> {
  const { stdout } = await run('grep', [
    '-l',
    '-r',
    `"name":"${name}"`,
    join(daemon.dataRoot, 'containers'),
    '--include=config.json',
  ]);
  return stdout.trim().split('/').at(-2)!;
}

describe('why it could not write', () => {
  const writes = (path: string) => ['sh', '-c', `dd if=/dev/zero of=${path} bs=1M count=3`];
  test.each([
    ['/data', { ReadonlyRootfs: true }, 'read-only', "its root is read-only ('--read-only')"],
    ['/p/x', { Binds: ['PROGRAMS:/p:ro'] }, 'read-only', '/p is mounted read-only'],
    ['/proc/sys/kernel/panic', {}, 'read-only', "the kernel's settings are read-only"],
    ['/dev/shm/x', { ShmSize: 1 << 20 }, 'no-space', '/dev/shm is a file system in memory of 1MiB'],
    ['/t/x', { Tmpfs: { '/t': 'size=1m' } }, 'no-space', '/t is a file system in memory of 1m'],
  ])('%s with %j', async (path, host, code, words) => {
    const name = `writes${path.replaceAll('/', '-')}`;
    const HostConfig = JSON.parse(JSON.stringify(host).replace('PROGRAMS', programs));
    await ended(name, writes(path), { HostConfig });
    const found = await finding(name, code);
    expect(found.sentence).toContain(words);
    expect(found.advice).toBeTruthy();
  });

  test('a volume that belongs to another user, and a limit of processes', async () => {
    await ended('stranger', ['touch', '/p/new'], { User: '1000', HostConfig: { Binds: [`${programs}:/p`] } });
    expect((await finding('stranger', 'not-allowed-in-mount')).evidence).toContain(
      '/p: mode 0755, owner 0, group 0',
    );
    await ended('forks', ['sh', '-c', 'for i in 1 2 3 4; do sleep 10 & done; wait'], {
      HostConfig: { PidsLimit: 3 },
    });
    expect((await finding('forks', 'no-more-processes')).sentence).toContain('it may have 3');
  });

  test('a program in a file system in memory, whose files are not executed', async () => {
    await ended('inmemory', ['sh', '-c', 'cp /bin/busybox /t/x; /t/x'], {
      HostConfig: { Tmpfs: { '/t': '' } },
    });
    expect((await finding('inmemory', 'no-execution-here')).advice).toContain("'--tmpfs /t:exec'");
  });
});

describe('why it does not start', () => {
  const fails = async (name: string, cmd: string[], host: object = {}) => {
    const id = await client.create(cmd, { name, HostConfig: { Binds: [`${programs}:/p`], ...host } });
    const { status } = await client.ask('POST', `/containers/${id}/start`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await cause(name)).toMatchObject({ code: 'start-failed' });
  };

  test.each(
    [
      ['nowhere', 'program-missing', "nowhere is in none of the directories of x0's PATH"],
      ['/p/nowhere', 'program-missing', "/p/nowhere is not among x1's files"],
      [
        '/p/no-interpreter',
        'interpreter-missing',
        'but /opt/nowhere/python3, the interpreter that it names, is not',
      ],
      ['/p/dynamic', 'interpreter-missing', 'the dynamic linker that it names, is not'],
      ['/p/windows', 'windows-line-ends', 'ends as on Windows'],
      ['/p/foreign', 'wrong-architecture', 'is a program for'],
      ['/p/plain', 'no-interpreter-named', 'does not say which program runs it'],
      ['/p/closed', 'not-executable-file', 'no user has permission to execute it'],
      ['/p/directory', 'program-is-no-file', 'is a directory'],
      ['/p/fifo', 'program-is-no-file', 'is no ordinary file'],
      ['/p/circle', 'program-missing', 'is not among'],
      ['/p/damaged', 'wrong-architecture', 'is a program for'],
    ].map(([program, code, words], index) => [program!, code!, words!, `x${index}`] as const),
  )('%s: %s', async (program, code, words, name) => {
    await fails(name, [program]);
    const found = await finding(name, code);
    expect(found.sentence).toContain(words);
    expect(found.advice).toBeTruthy();
  });

  test('a port that is taken', async () => {
    const ports = { NetworkMode: 'bridge', PortBindings: { '80/tcp': [{ HostPort: '18080' }] } };
    await client.run(['sleep', '1000'], { name: 'first', HostConfig: ports });
    await fails('second', ['sleep', '1000'], ports);
    const { evidence, advice } = await cause('second');
    expect(evidence).toContain('the port is taken by the container first');
    expect(advice).toContain("'mini-docker stop first'");
    await client.ask('DELETE', '/containers/first?force=1');
  });

  test('a port that a program of the host has', async () => {
    const listen = "require('node:net').createServer().listen(18081, '127.0.0.1', () => console.log('up'))";
    const inside = ['-t', String(daemon.namespaces), '-n', NODE, '-e', listen];
    const holder = spawn('nsenter', inside, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const ports = { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18081' }] } };
      const id = await client.create(['true'], {
        name: 'third',
        HostConfig: { NetworkMode: 'bridge', ...ports },
      });
      await once(holder.stdout, 'data');
      expect((await client.ask('POST', `/containers/${id}/start`)).status).toBeGreaterThanOrEqual(400);
      const taken = new RegExp(`the port is taken by the program \\S+ of this host \\(pid ${holder.pid}\\)`);
      expect((await cause('third')).evidence).toContainEqual(expect.stringMatching(taken));
    } finally {
      holder.kill();
    }
  });

  test.each([
    ['/p/private', 'the user 1000 may not execute it'],
    ['/p/locked/in', 'the user 1000 may not search /p/locked'],
  ])('%s: not permitted to the user', async (program, words) => {
    const name = `user${program.length}`;
    const host = { Binds: [`${programs}:/p`] };
    await client.ask(
      'POST',
      `/containers/${await client.create([program], { name, User: '1000', HostConfig: host })}/start`,
    );
    const found = await finding(name, 'not-permitted');
    expect(found.sentence).toContain(words);
    expect(found.evidence[0]).toMatch(/mode 0700, owner 0, group 0/);
    // The closer finding has the advice.
    expect((await cause(name)).advice).toBeUndefined();
  });

  test('its user is not in /etc/passwd', async () => {
    const id = await client.create(['true'], { name: 'nobodys', User: 'somebody' });
    await client.ask('POST', `/containers/${id}/start`);
    expect((await cause('nobodys')).advice).toContain('/etc/passwd');
  });

  test('its network, or the container whose network it shares, was removed; its address is taken', async () => {
    await client.json('POST', '/networks/create', { Name: 'away' });
    await client.create(['true'], { name: 'off', HostConfig: { NetworkMode: 'away' } });
    await client.ask('DELETE', '/networks/away');
    const owner = await client.create(['true'], { name: 'owner' });
    await client.create(['true'], { name: 'guest', HostConfig: { NetworkMode: `container:${owner}` } });
    await client.ask('DELETE', '/containers/owner');
    const IPAM = { Config: [{ Subnet: '10.99.9.0/24' }] };
    await client.json('POST', '/networks/create', { Name: 'small', IPAM });
    const at = {
      NetworkingConfig: { EndpointsConfig: { small: { IPAMConfig: { IPv4Address: '10.99.9.9' } } } },
    };
    const HostConfig = { NetworkMode: 'small' };
    await client.run(['sleep', '1000'], { name: 'there', HostConfig, ...at });
    await client.create(['true'], { name: 'late', HostConfig, ...at });
    for (const [name, words] of [
      ['off', 'mini-docker network create away'],
      ['guest', 'whose namespaces it joins was removed'],
      ['late', 'mini-docker network inspect small'],
    ] as const) {
      await client.ask('POST', `/containers/${name}/start`);
      expect((await cause(name)).advice, name).toContain(words);
    }
  });

  test('the directory of its volume, or of its bind mount, was removed', async () => {
    await client.json('POST', '/volumes/create', { Name: 'gone' });
    const source = mkdtempSync(join(tmpdir(), 'mini-docker-bind-'));
    const Mounts = [
      { Type: 'volume', Source: 'gone', Target: '/a' },
      { Type: 'bind', Source: source, Target: '/a' },
    ];
    for (const [index, mount] of Mounts.entries())
      await client.create(['true'], { name: `mounting${index}`, HostConfig: { Mounts: [mount] } });
    rmSync(join(daemon.dataRoot, 'volumes/gone'), { recursive: true });
    rmSync(source, { recursive: true });
    for (const index of [0, 1]) await client.ask('POST', `/containers/mounting${index}/start`);
    expect((await cause('mounting0')).advice).toContain('mini-docker volume create gone');
    expect((await cause('mounting1')).advice).toContain(`Create ${source} on the host`);
  });

  test('a shell says "not found" of a program whose interpreter is missing', async () => {
    await ended('hidden', ['sh', '-c', '/p/no-interpreter'], { HostConfig: { Binds: [`${programs}:/p`] } });
    expect(await cause('hidden')).toMatchObject({ code: 'command-not-found' });
    expect((await finding('hidden', 'interpreter-missing')).sentence).toContain('/opt/nowhere/python3');
  });

  test('a library that is missing', async () => {
    const linker = process.arch === 'x64' ? '/lib64/ld-linux-x86-64.so.2' : '/lib/ld-linux-aarch64.so.1';
    const Binds = [`${programs}:/p`, `${realpathSync(linker)}:${linker}:ro`];
    await ended('bare', ['/p/dynamic'], { HostConfig: { Binds } });
    expect((await finding('bare', 'library-missing')).sentence).toBe(
      '/p/dynamic needs the library libc.so.6, which bare does not have.',
    );
  });

  test('one that was only created', async () => {
    await client.create(['true'], { name: 'fresh' });
    expect(await cause('fresh')).toMatchObject({ code: 'never-started' });
  });
});

describe('why it cannot be reached', () => {
  const serve = (name: string, listen: string, more: object = {}) =>
    client.run(['nc', '-lk', '-s', listen.split(':')[0]!, '-p', listen.split(':')[1]!, '-e', 'cat'], {
      name,
      HostConfig: { NetworkMode: 'bridge', ...more },
    });
  const published = (at: string, host = '') => ({
    PortBindings: { '80/tcp': [{ HostIp: host, HostPort: at }] },
  });
  const soon = (name: string, code: string) =>
    eventually(
      () => report(name),
      ({ findings }) => findings.some(each => each.code === code),
    ).then(({ findings }) => findings.find(each => each.code === code)!);

  test('it listens on its loopback only', async () => {
    await serve('inward', '127.0.0.1:80', published('18081'));
    const { sentence, evidence, advice } = await soon('inward', 'listens-on-loopback');
    expect(sentence).toMatch(/^inward listens on 127\.0\.0\.1:80 only, .* published port 18081 /);
    expect(evidence).toContain('listens: tcp 127.0.0.1:80');
    expect(advice).toContain('0.0.0.0');
  });

  test('nothing listens', async () => {
    await client.run(['sleep', '1000'], {
      name: 'mute',
      HostConfig: { NetworkMode: 'bridge', ...published('18082') },
    });
    expect((await finding('mute', 'nothing-listens')).evidence).toContain(
      'published: 0.0.0.0:18082 of the host -> 80/tcp',
    );
  });

  test('another port is published than the one it has', async () => {
    await serve('shifted', '0.0.0.0:3000', published('18083'));
    const { sentence, advice } = await soon('shifted', 'published-port-is-not-served');
    expect(sentence).toContain('one listens on port 3000');
    expect(advice).toContain("'-p 18083:3000'");
  });

  test('its port is not published', async () => {
    await serve('private', '0.0.0.0:80');
    expect((await soon('private', 'not-published')).advice).toContain("'-p 80:80'");
  });

  test('it is published for this host only', async () => {
    await serve('local', '0.0.0.0:80', published('18084', '127.0.0.1'));
    expect((await soon('local', 'published-locally')).sentence).toContain('published at 127.0.0.1:18084');
  });

  test('a connection comes through, and then a rule drops it', async () => {
    const id = await serve('open', '0.0.0.0:80', published('18085'));
    expect((await soon('open', 'reachable')).sentence).toContain('a connection was accepted');
    const { IPAddress } = (await client.inspect(id)).NetworkSettings;
    const nft = (rules: string) =>
      run('nsenter', ['-t', String(daemon.namespaces), '-n', 'nft', ...rules.split(' ')]);
    await nft('add table ip others');
    await nft('add chain ip others out { type filter hook output priority 0 ; }');
    await nft(`add rule ip others out ip daddr ${IPAddress} tcp dport 80 drop`);
    const { sentence, evidence } = await finding('open', 'rule-drops');
    expect(sentence).toBe(
      'A firewall rule drops packets of the host to port 80 of open: in the table ip others, chain out.',
    );
    expect(evidence).toContain('a connection from the host: silence');
    await nft('delete table ip others');
    await nft('add table ip others');
    await nft('add chain ip others forwarded { type filter hook forward priority 0 ; }');
    await nft('add rule ip others forwarded tcp dport 81 drop');
    expect(await finding('open', 'reachable')).toBeDefined();
    await nft('add rule ip others forwarded tcp dport 80-90 drop');
    expect((await finding('open', 'rule-drops')).sentence).toContain('may drop packets from other machines');
    await nft('delete table ip others');
  });

  test('a partition, or a condition that was set on purpose', async () => {
    await client.json('POST', '/networks/create', { Name: 'split' });
    for (const name of ['left', 'right'])
      await client.run(['sleep', '1000'], { name, HostConfig: { NetworkMode: 'split' } });
    await client.json('POST', '/mini-docker/network-partition', { groups: [['left'], ['right']] });
    const found = await finding('left', 'partitioned');
    expect(found.sentence).toContain('keeps left from right');
    expect(found.advice).toContain('network heal');
    await client.json('POST', '/mini-docker/network-partition', { groups: [] });
    await client.json('POST', '/mini-docker/network-conditions', { target: 'left', rate: '1mbit' });
    expect((await finding('left', 'network-condition')).evidence).toEqual(['on split (eth0): rate 1mbit']);
    expect((await report('left')).findings.map(({ code }) => code)).not.toContain('partitioned');
  });

  test.each([
    ['split', 'split', 'right', 'runs now'],
    ['split', 'bridge', 'right', 'that container is on split'],
    ['split', 'split', 'ended', 'does not run'],
    ['bridge', 'bridge', 'plain', "default network 'bridge'"],
    ['bridge', 'split', 'missing', 'no container has that name'],
  ])('a name: %s, asked on %s for %s', async (network, asked, wanted, words) => {
    const name = `asks-${wanted}-${asked}`;
    const HostConfig = { NetworkMode: network };
    if (wanted === 'ended') await client.create(['true'], { name: wanted, HostConfig });
    if (wanted === 'plain') await client.run(['sleep', '1000'], { name: wanted, HostConfig });
    // What ping says, without its patience with name servers.
    await ended(name, ['sh', '-c', `echo "ping: bad address '${wanted}'" >&2; exit 1`], {
      HostConfig: { NetworkMode: asked },
    });
    const found = await finding(name, 'name-not-found');
    expect(found.sentence).toContain(words);
    expect(found.advice).toBeTruthy();
  });

  test('it has no network, or is paused', async () => {
    await client.run(['sleep', '1000'], { name: 'alone' });
    expect(await finding('alone', 'no-network')).toBeDefined();
    await client.json('POST', '/containers/alone/pause');
    expect((await cause('alone')).code).toBe('paused');
    await client.json('POST', '/containers/alone/unpause');
  });
});

describe('why it is slow', () => {
  test('its quota of processor time', async () => {
    await client.run(['sh', '-c', 'while :; do :; done'], { name: 'busy', HostConfig: { NanoCpus: 1e8 } });
    const { findings } = await eventually(
      () => report('busy'),
      ({ findings }) => findings[0]?.code === 'cpu-throttled',
    );
    expect(findings[0]!.evidence[0]).toMatch(/nr_throttled [1-9]/);
    expect(findings[0]!.advice).toContain('mini-docker update --cpus');
    await client.ask('DELETE', '/containers/busy?force=1');
  });

  test('it is at its limit of memory', async () => {
    const fill = 'head -c 15000000 /dev/zero > /dev/shm/x; sleep 1000';
    await client.run(['sh', '-c', fill], { name: 'full', HostConfig: { Memory: 16 << 20 } });
    const { findings } = await eventually(
      () => report('full'),
      ({ findings }) => findings[0]?.code === 'memory-full',
    );
    expect(findings[0]!.sentence).toMatch(/uses 1[456][.\d]*MiB of 16MiB/);
  });

  test.skipIf(temporaryDevice === undefined)('its limit of writing to a device', async () => {
    const write =
      'while :; do dd if=/dev/zero of=/x bs=64k count=4 oflag=direct conv=notrunc; done 2>/dev/null';
    await client.run(['sh', '-c', write], {
      name: 'writer',
      HostConfig: { BlkioDeviceWriteBps: [{ Path: temporaryDevice, Rate: 1 << 20 }] },
    });
    const { findings } = await eventually(
      () => report('writer'),
      ({ findings }) => findings[0]?.code === 'io-limited',
    );
    expect(findings[0]!.sentence).toMatch(
      /^writer writes to the device \d+:\d+ as fast as its limit allows: .* a second, and the limit is 1\.05MB\.$/,
    );
    await client.ask('DELETE', '/containers/writer?force=1');
  });

  test('it may have no more processes', async () => {
    await client.run(['sh', '-c', 'sleep 1000 & sleep 1000 & wait'], {
      name: 'crowd',
      HostConfig: { PidsLimit: 3 },
    });
    expect(
      (
        await eventually(
          () => report('crowd'),
          ({ findings }) => findings[0]?.code === 'pids-full',
        )
      ).findings[0]!.evidence,
    ).toEqual(['pids.current 3, pids.max 3']);
  });

  test('nothing is wrong', async () => {
    await obedient('well', { HostConfig: { NetworkMode: 'bridge' } });
    expect((await report('well')).findings).toEqual([expect.objectContaining({ code: 'running' })]);
  });
});

test('the command prints sentences, evidence and advice, or JSON, and escapes control characters', async () => {
  await ended('loud', ['sh', '-c', "printf '\\033[2Jboom\\n'; exit 5"]);
  const md = (...args: string[]) =>
    run(NODE, [MAIN, ...args], { env: { ...process.env, DOCKER_HOST: daemon.host } });
  const { stdout } = await md('why', 'loud');
  expect(stdout).toMatch(
    /^loud ended at .*: it returned 5 after .*\n {2}- its log: \\x1b\[2Jboom\n {2}=> The program alone defines/,
  );
  const { findings } = JSON.parse((await md('why', '--json', 'loud')).stdout) as WhyReport;
  expect(findings).toMatchObject([{ code: 'failed' }]);
  await expect(md('why', 'nobody')).rejects.toMatchObject({
    stderr: expect.stringContaining('No such container: nobody'),
  });
});
