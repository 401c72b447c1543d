// Attacks on other engines that have names, and were not among those of the other files here.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CLONE } from '../../mini-docker/linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { compile } from '../../mini-docker/linux/program.ts';
import { hostArchitecture } from '../../mini-docker/linux/step.ts';
import { execve, unshare } from '../../mini-docker/linux/syscalls.ts';
import { newContext, ours } from '../support/building.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let host: string;
let attack: string;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  // A place of the host's that no container was given.
  host = mkdtempSync(join(tmpdir(), 'mini-docker-known-'));
  attack = mkdtempSync(join(tmpdir(), 'mini-docker-attack-'));
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
});
afterAll(async () => {
  await daemon.stop();
  for (const each of [host, attack]) rmSync(each, { recursive: true, force: true });
});

async function build(dockerfile: string) {
  using context = newContext({ Dockerfile: dockerfile });
  return await ours(daemon, ['build', '--no-cache', '--network', 'none', context.path]);
}

/** Prints what it could do. */
async function output(script: string, HostConfig: object = {}): Promise<string> {
  const id = await engine.run(['sh', '-c', script], { HostConfig });
  await engine.wait(id);
  return engine.logs(id);
}

/** Places a program that runs a script in new user, mount and cgroup namespaces, or ends when it may not. */
function unshared(script: string): string {
  const architecture = hostArchitecture();
  const items = [
    unshare(CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWCGROUP),
    execve('/bin/sh', ['sh', '-c', script], ['PATH=/bin:/usr/bin']),
  ];
  const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
  writeFileSync(join(attack, 'unshare'), encodeElf({ architecture, code, data }), { mode: 0o755 });
  return '/attack/unshare';
}

test.each([
  ['as it is', {}, true],
  ['without a filter of system calls', { SecurityOpt: ['seccomp=unconfined'] }, false],
])(
  'a container cannot name a release_agent for the host, %s (CVE-2022-0492)',
  async (_, HostConfig, hasFilter) => {
    const marker = join(host, 'agent-ran');
    const script = `echo 0 0 1 > /proc/self/uid_map; mkdir -p /cg
    for group in rdma memory pids freezer cpu misc perf_event; do
      mount -t cgroup -o $group cgroup /cg && echo mounted $group && mkdir -p /cg/x &&
      echo 1 > /cg/x/notify_on_release && echo /cmd > /cg/release_agent && echo taken
    done; echo tried`;
    const said = await output(`touch /cmd; exec ${unshared(script)} 2>&1`, {
      ...HostConfig,
      Binds: [`${attack}:/attack:ro`],
    });
    expect(said).toMatch(hasFilter ? /^$/ : /tried/);
    expect(said).not.toContain('taken');
    expect(existsSync(marker)).toBe(false);
  },
);

test('a link in a cache mount leads the next build nowhere (CVE-2024-23651)', async () => {
  writeFileSync(join(host, 'secret'), 'of the host');
  const cache = 'type=cache,id=shared';
  const first = await build(
    `FROM busybox\nRUN --mount=${cache},target=/c rm -rf /c/sub /c/up; ln -s ${host} /c/sub; ln -s /../../../../../../.. /c/up\n`,
  );
  expect(first).toMatchObject({ code: 0 });
  for (const source of ['sub', `up${host}`, '../../../../../../../../../..']) {
    const { stdout, stderr } = await build(
      `FROM busybox\nRUN --mount=${cache},source=${source},target=/m cat /m/secret /m${host}/secret || true\n`,
    );
    expect(stdout + stderr).not.toContain('of the host');
  }
  // From the same cache at the same time, while one exchanges the directory for a link.
  const swap = `for i in $(seq 300); do rm -rf /c/d; ln -s ${host} /c/d; rm /c/d; mkdir /c/d; done`;
  const [, ...others] = await Promise.all([
    build(`FROM busybox\nRUN --mount=${cache},target=/c ${swap}\n`),
    ...Array.from({ length: 3 }, () =>
      build(`FROM busybox\nRUN --mount=${cache},source=d,target=/m cat /m/secret || true\n`),
    ),
  ]);
  for (const { stdout, stderr } of others) expect(stdout + stderr).not.toContain('of the host');
});

test('a build removes only its own files at its end (CVE-2024-23652)', async () => {
  mkdirSync(join(host, 'victim-directory'));
  writeFileSync(join(host, 'victim-file'), '');
  const before = readdirSync(host);
  const mounts = [
    '--mount=type=cache,target=/x/victim-directory',
    '--mount=type=tmpfs,target=/x/deep/victim-directory',
    '--mount=type=bind,source=Dockerfile,target=/x/victim-file',
  ].join(' ');
  const { code, stderr } = await build(
    `FROM busybox\nRUN ${mounts} mv /x /y && ln -s ${host} /x && mkdir /z && ln -s ${host} /z/deep\n`,
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(readdirSync(host)).toEqual(before);
});

test('no Dockerfile makes its own RUN privileged (CVE-2024-23653)', async () => {
  const { code, stderr } = await build('FROM busybox\nRUN --security=insecure mount -t tmpfs none /mnt\n');
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/security/);
});

test('without NET_RAW a container sends no packets of its own making: ARP in the name of others', async () => {
  const HostConfig = { NetworkMode: 'bridge' };
  const spoof = 'ip -4 route; arping -c 1 -w 1 -U -I eth0 172.17.0.1 2>&1';
  expect(await output(spoof, { ...HostConfig, CapDrop: ['NET_RAW'] })).toMatch(/not permitted/i);
});

test('the machine is unchanged', () => {
  const agents = readdirSync('/sys/fs/cgroup')
    .map(name => join('/sys/fs/cgroup', name, 'release_agent'))
    .filter(path => existsSync(path));
  for (const path of agents) expect(readFileSync(path, 'utf8').trim(), path).not.toContain('/cmd');
});
