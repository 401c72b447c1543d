// daemon.json: what dockerd's settings do here.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { commandLines } from './support/command-lines.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'daemon-settings-'));
const file = join(scratch, 'daemon.json');
const pidFile = join(scratch, 'made/daemon.pid');
const settings = {
  bridge: 'docker0',
  bip: '10.77.0.1/24',
  'fixed-cidr': '10.77.0.128/25',
  mtu: 1400,
  'default-address-pools': [{ base: '10.88.0.0/16', size: 24 }],
  dns: ['192.0.2.53'],
  'dns-search': ['example.test'],
  'default-ulimits': { nofile: { Name: 'nofile', Soft: 100, Hard: 200 } },
  'default-shm-size': '8m',
  'cgroup-parent': 'mini-docker-settings-test',
  'log-driver': 'local',
  'log-opts': { 'max-size': '1m', compress: 'true' },
  init: true,
  'no-new-privileges': true,
  labels: ['place=here'],
  ip: '127.0.0.1',
  'host-gateway-ips': ['192.0.2.7', '2001:db8::7'],
  ipv6: true,
  bip6: 'fd00:77::1/64',
  'fixed-cidr-v6': 'fd00:77::8000/113',
  'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': '1300' } },
  'max-download-attempts': 1,
  'oom-score-adjust': 321,
  pidfile: pidFile,
  'live-restore': false,
  'shutdown-timeout': 2,
  'registry-mirrors': ['https://mirror.example/'],
  'insecure-registries': ['registry.example:5000'],
  proxies: {
    'http-proxy': 'http://127.0.0.1:9',
    'https-proxy': 'http://user:secret@127.0.0.1:9',
    'no-proxy': '*.lan',
  },
  'userland-proxy': false,
  experimental: false,
};

let daemon: TestDaemon;
let engine: EngineClient;
const { does } = commandLines(() => daemon)[0]!;

const write = (more: object = {}) => writeFileSync(file, JSON.stringify({ ...settings, ...more }));
const inside = (...words: string[]) =>
  execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', '-m', ...words], { encoding: 'utf8' });

beforeAll(async () => {
  write();
  daemon = await startDaemon({ args: ['--config-file', file] });
  engine = engineClient(daemon);
});
afterEach(async () => {
  for (const id of (await does('ps -aq')).split('\n').filter(Boolean)) await does(`rm -f ${id}`);
});
afterAll(async () => {
  await daemon.stop();
  // The group is the administrator's, as with dockerd: no container takes it along.
  for (const place of ['.', ...readdirSync('/sys/fs/cgroup')]) {
    const group = join('/sys/fs/cgroup', place, 'mini-docker-settings-test');
    if (existsSync(group)) rmdirSync(group);
  }
  rmSync(scratch, { recursive: true });
});

test('the default bridge has its name, its address, its range and its MTU', async () => {
  const link = await does('run --rm busybox ip addr show dev eth0');
  expect(link).toContain('mtu 1400');
  expect(link).toContain('inet 10.77.0.128/24');
  expect(link).toMatch(/inet6 fd00:77::[89a-f][0-9a-f]{3}\/64/);
  await does('run -d --name stay busybox sleep 1000');
  expect(inside('ip', '-br', 'addr', 'show', 'dev', 'docker0')).toMatch(/^docker0 +UP +10\.77\.0\.1\/24/);
  expect(inside('ip', '-br', 'link', 'show', 'type', 'veth')).toMatch(/^veth[0-9a-f]{7}@/);
});

test('bip6 is the address of the default bridge, which containers reach', async () => {
  expect(await does('run --rm busybox ping -6 -c 1 fd00:77::1')).toContain(' 0% packet loss');
});

test('the daemon has its score for the OOM killer, and its file with its pid as long as it runs', async () => {
  expect(readFileSync(`/proc/${daemon.pid}/oom_score_adj`, 'utf8')).toBe('321\n');
  expect(await does('run --rm busybox cat /proc/self/oom_score_adj')).toBe('0\n');
  expect(readFileSync(pidFile, 'utf8')).toBe(String(daemon.pid));
  await daemon.end('SIGTERM');
  expect(existsSync(pidFile)).toBe(false);
  await daemon.begin();
});

test('networks have the default options of their driver, unless they say otherwise', async () => {
  await does('network create plain');
  await does('network create -o com.docker.network.driver.mtu=1200 own');
  for (const [name, mtu] of [
    ['plain', 1300],
    ['own', 1200],
  ])
    expect(await does(`run --rm --network ${name} busybox cat /sys/class/net/eth0/mtu`)).toBe(`${mtu}\n`);
  await does('network rm plain own');
});

test('networks get their subnets from the address pools', async () => {
  for (const name of ['one', 'two']) await does(`network create ${name}`);
  const subnets = await does(['network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'one', 'two']);
  expect(subnets).toBe('10.88.0.0/24\n10.88.1.0/24\n');
  await does('network rm one two');
});

test('a container that says nothing has what the daemon says', async () => {
  const look =
    'ulimit -Sn; ulimit -Hn; df -m /dev/shm | tail -n 1; grep NoNewPrivs /proc/self/status; ps -o comm';
  const seen = await does([
    'run',
    '--rm',
    '--add-host=outside:host-gateway',
    'busybox',
    'sh',
    '-c',
    `${look}; cat /etc/resolv.conf /proc/self/cgroup /etc/hosts`,
  ]);
  expect(seen).toMatch(/^100\n200\n.* 8 .*\/dev\/shm\nNoNewPrivs:\t1\nCOMMAND\ndocker-init\n/);
  expect(seen).toContain('nameserver 192.0.2.53\n');
  expect(seen).toContain('search example.test\n');
  expect(seen).toContain('192.0.2.7\toutside\n2001:db8::7\toutside\n');
  expect(seen).toContain('/mini-docker-settings-test/');
});

const hostConfig = async (id: string) =>
  (await engine.json<{ HostConfig: { LogConfig: object } }>('GET', `/containers/${id}/json`)).HostConfig;

test('and one that says something has that', async () => {
  const flags =
    '--ulimit nofile=50 --shm-size 4m --dns 192.0.2.1 --security-opt no-new-privileges=false --log-driver json-file';
  const id = (await does(`create ${flags} busybox true`)).trim();
  expect(await hostConfig(id)).toMatchObject({
    Ulimits: [{ Name: 'nofile', Soft: 50, Hard: 50 }],
    ShmSize: 4 << 20,
    LogConfig: { Type: 'json-file', Config: {} },
  });
  const other = (await does('create busybox true')).trim();
  expect((await hostConfig(other)).LogConfig).toEqual({
    Type: 'local',
    Config: { 'max-size': '1m', compress: 'true' },
  });
});

test('ports are published where the daemon says', async () => {
  await does('run -d -p 8088:80 busybox sleep 1000');
  expect(await does('ps --format {{.Ports}}')).toBe('127.0.0.1:8088->80/tcp\n');
});

test('info tells of it, and what means something to dockerd only is warned of', async () => {
  const info = await engine.json<Record<string, unknown>>('GET', '/info');
  expect(info).toMatchObject({ LoggingDriver: 'local', Labels: ['place=here'], LiveRestoreEnabled: false });
  expect(JSON.stringify(info.RegistryConfig)).toContain('https://mirror.example/');
  expect(await does('info')).toContain(`
 HTTP Proxy: http://127.0.0.1:9
 HTTPS Proxy: http://xxxxx:xxxxx@127.0.0.1:9
 No Proxy: *.lan
 Experimental: false
 Labels:
  place=here
 Insecure Registries:
  registry.example:5000
  ::1/128
  127.0.0.0/8
 Registry Mirrors:
  https://mirror.example/
 Live Restore Enabled: false
 Default Address Pools:
  Base: 10.88.0.0/16, Size: 24
`);
  expect(daemon.log()).not.toContain('userland-proxy');
  expect(daemon.log()).toContain('daemon.json: experimental means something to dockerd only');
});

test('images are asked for through the proxy', async () => {
  const { body } = await engine.ask('POST', '/images/create?fromImage=registry.example:5000/some&tag=1');
  expect(String(body)).toContain('connection refused by 127.0.0.1 port 9');
});

test('SIGHUP reads the file again, and a broken one changes nothing', async () => {
  const labels = async () => (await engine.json<{ Labels: string[] }>('GET', '/info')).Labels;
  write({ labels: ['place=there'], 'insecure-registries': ['10.0.0.0/8'] });
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(labels, found => found.includes('place=there'));
  const info = await engine.json<{ RegistryConfig: { InsecureRegistryCIDRs: string[] } }>('GET', '/info');
  expect(info.RegistryConfig.InsecureRegistryCIDRs).toContain('10.0.0.0/8');
  const events = await does('events --since 1m --until 0s --filter type=daemon --format {{.Action}}');
  expect(events).toBe('reload\n');
  writeFileSync(file, '{');
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(
    async () => daemon.log(),
    log => log.includes('SIGHUP: the configuration stays as it was'),
  );
  expect(await labels()).toEqual(['place=there']);
  write();
});

describe('with live-restore false', () => {
  test('containers stop with the daemon, and come back if their policy wants it', async () => {
    await does('run -d --name kept --restart unless-stopped busybox sleep 1000');
    await does('run -d --name ended busybox sh -c sleep\\ 1000');
    const pids = (await does(['inspect', '-f', '{{.State.Pid}}', 'kept', 'ended'])).trim().split('\n');
    await daemon.end('SIGTERM');
    for (const pid of pids) expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow();
    await daemon.begin();
    expect(await does('ps --format {{.Names}}')).toBe('kept\n');
    expect(await does(['inspect', '-f', '{{.State.Status}}', 'ended'])).toBe('exited\n');
  });

  test('other settings of the default bridge hold from the next daemon on', async () => {
    await daemon.end('SIGTERM');
    write({ bip: '10.79.0.1/24', 'fixed-cidr': '10.79.0.0/25', bridge: 'br-other' });
    await daemon.begin();
    expect(await does('run --rm busybox ip addr show dev eth0')).toContain('inet 10.79.0.2/24');
    expect(inside('ip', '-br', 'link', 'show', 'type', 'bridge')).not.toContain('docker0');
  });
});

const ownPid = join(scratch, 'own.pid');
writeFileSync(ownPid, `${process.pid}\n`);
test.each([
  [{ 'default-runtime': 'nope' }, 'unknown or invalid runtime name: nope'],
  [{ 'log-driver': 'nope' }, 'plugin "nope" not found'],
  [{ 'log-opts': { nope: '1' } }, "unknown log opt 'nope'"],
  [{ 'log-opts': { 'max-size': 'abc' } }, 'max-size'],
  [{ 'default-ulimits': { foo: { Name: 'foo', Soft: 1, Hard: 2 } } }, 'invalid ulimit type: foo'],
  [{ 'default-ulimits': { nofile: { Name: 'nofile', Soft: 10, Hard: 2 } } }, 'soft limit 10 is above'],
  [{ 'default-shm-size': 'abc' }, 'default-shm-size: invalid size'],
  [{ 'metrics-addr': '127.0.0.1:99999' }, 'is not HOST:PORT'],
  [{ pidfile: ownPid }, `process with PID ${process.pid} is still running`],
  [{ 'seccomp-profile': '/nowhere' }, "the daemon's seccomp-profile cannot be read"],
])('a daemon with %j does not start, and says why in one line', async (setting, why) => {
  const wrong = join(scratch, 'wrong.json');
  writeFileSync(wrong, JSON.stringify(setting));
  const directories = ['--data-root', join(scratch, 'data'), '--run-dir', join(scratch, 'run')];
  const { status, stderr } = spawnSync(
    'unshare',
    ['-n', '-m', NODE, MAIN, 'daemon', '--config-file', wrong, ...directories],
    { encoding: 'utf8', timeout: 50_000 },
  );
  expect(stderr).toMatch(/^mini-docker: .*\n$/);
  expect(stderr).toContain(why);
  expect(status).toBe(1);
});
