// The driver overlay: two daemons, each with a host of its own, and Debian's etcd on a third, on one switch.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ContainerInspect } from '../mini-docker/formats/engine-api/containers.ts';
import type { NetworkMap } from '../mini-docker/formats/network-map.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';
import { hasProgram } from './support/foreign-clients.ts';
import { type HeldProcess, hold } from './support/held-process.ts';
import { reaches } from './support/network-hosts.ts';
import { ip } from './support/own-network.ts';

const STORE = '10.77.0.100';
/** Seconds: what a test can wait for. */
const TTL = 6;

interface Host {
  daemon: TestDaemon;
  engine: EngineClient;
  address: string;
}

describe.skipIf(!hasProgram('etcd'))('overlay', () => {
  const hosts = {} as { a: Host; b: Host };
  let hub: HeldProcess;
  let etcd: ChildProcess;
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-etcd-'));

  const within = (pid: number, line: string) =>
    execFileSync('nsenter', ['-t', String(pid), '-n', ...line.split(' ')], { stdio: 'pipe' });

  const startEtcd = () => {
    const url = `http://${STORE}:2379`;
    const args = ['--data-dir', directory, '--listen-client-urls', url, '--advertise-client-urls', url];
    const alone = ['--listen-peer-urls', 'http://127.0.0.1:2380', '--log-level', 'error'];
    etcd = spawn('nsenter', ['-t', String(hub.pid), '-n', 'etcd', ...args, ...alone], { stdio: 'ignore' });
  };
  const stopEtcd = async () => {
    const ended = new Promise(resolve => etcd.once('close', resolve));
    etcd.kill('SIGKILL');
    await ended;
  };

  const startHost = async (name: string, address: string): Promise<Host> => {
    const args = ['--cluster-store', `etcd://${STORE}:2379`, '--cluster-advertise', address];
    const daemon = await startDaemon({ args: [...args, '--cluster-store-opt', `discovery.ttl=${TTL}`] });
    within(hub.pid, `ip link add to-${name} type veth peer name up0 netns ${daemon.namespaces}`);
    within(hub.pid, `ip link set to-${name} master switch up`);
    within(daemon.namespaces, `ip addr add ${address}/24 dev up0`);
    within(daemon.namespaces, 'ip link set up0 up');
    return { daemon, engine: engineClient(daemon), address };
  };

  beforeAll(async () => {
    hub = await hold({ wrapper: ['unshare', '--net'] });
    for (const line of [
      'ip link set lo up',
      'ip link add switch type bridge',
      `ip addr add ${STORE}/24 dev switch`,
      'ip link set switch up',
    ])
      within(hub.pid, line);
    startEtcd();
    hosts.a = await startHost('a', '10.77.0.1');
    hosts.b = await startHost('b', '10.77.0.2');
  }, 60_000);

  afterEach(async () => {
    for (const { engine } of [hosts.a, hosts.b])
      for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
        await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
    await eventually(
      () => hosts.a.engine.ask('DELETE', '/networks/front'),
      answer => answer.status !== 403,
    );
    await eventually(
      () => names(hosts.b),
      found => !found.includes('front'),
    );
  });

  afterAll(async () => {
    await stopEtcd();
    await hosts.a.daemon.stop();
    await hosts.b.daemon.stop();
    await hub[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const names = async ({ engine }: Host) =>
    (await engine.json<{ Name: string }[]>('GET', '/networks')).map(each => each.Name);
  const create = (host: Host, more: object = {}) =>
    host.engine.ask('POST', '/networks/create', { Name: 'front', Driver: 'overlay', ...more });
  /** On both hosts. */
  const front = async () => {
    await eventually(
      () => create(hosts.a),
      answer => answer.status !== 503,
    );
    await eventually(
      () => names(hosts.b),
      found => found.includes('front'),
    );
  };
  const start = (host: Host, name: string, cmd = ['sleep', '1000'], more: object = {}) =>
    host.engine.run(cmd, { name, HostConfig: { NetworkMode: 'front' }, ...more });
  const inspect = (host: Host, name: string) =>
    host.engine.json<ContainerInspect>('GET', `/containers/${name}/json`);
  const inside = async (host: Host, name: string) => ({ pid: (await inspect(host, name)).State.Pid });
  const address = async (host: Host, name: string) =>
    (await inspect(host, name)).NetworkSettings.Networks.front!.IPAddress!;
  const exec = async ({ engine }: Host, container: string, ...Cmd: string[]) => {
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${container}/exec`, {
      Cmd,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    const { body } = await engine.ask('POST', `/exec/${Id}/start`, { Detach: false, Tty: true });
    return body.toString().replaceAll('\r', '');
  };

  test('containers of two hosts reach each other by name, and nothing is flooded', async () => {
    await front();
    await start(hosts.a, 'web', ['tcpsvd', '-E', '0', '80', 'echo', 'hello']);
    await start(hosts.b, 'client');
    const to = await address(hosts.a, 'web');
    expect(to).not.toBe(await address(hosts.b, 'client'));
    expect(
      await eventually(
        () => exec(hosts.b, 'client', 'sh', '-c', 'nc -w 1 web 80 </dev/null 2>/dev/null'),
        answer => answer !== '',
      ),
    ).toBe('hello\n');
    expect(reaches(await inside(hosts.a, 'web'), await address(hosts.b, 'client'))).toBe(true);
    // The largest frame that the tunnel takes arrives whole.
    const ping = ['ping', '-c1', '-W1', '-s', String(1450 - 28), 'web'];
    expect(await exec(hosts.b, 'client', ...ping)).toContain('1 packets received');
    expect(ip('link show eth0', (await inside(hosts.b, 'client')).pid)).toMatchObject([{ mtu: 1450 }]);
    const entries = String(within(hosts.b.daemon.namespaces, 'bridge fdb show'))
      .split('\n')
      .filter(each => each.includes(' dst '));
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatch(/dst 10\.77\.0\.1 self permanent/);
    const map = await hosts.b.engine.json<NetworkMap>('GET', '/mini-docker/network-map');
    expect(map.hosts?.map(each => each.address).sort()).toEqual(['10.77.0.1', '10.77.0.2']);
    const tunnel = map.bridges.flatMap(each => each.cables).find(each => each.tunnel);
    expect(tunnel?.tunnel?.ends).toMatchObject([{ container: 'web', at: '10.77.0.1' }]);
  }, 60_000);

  test('200 addresses that two hosts take at once are 200 different ones', async () => {
    await front();
    const made = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const { engine } = index % 2 === 0 ? hosts.a : hosts.b;
        const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'front' } };
        const { Id } = await engine.json<{ Id: string }>('POST', `/containers/create?name=n${index}`, body);
        return { engine, Id };
      }),
    );
    await Promise.all(made.map(({ engine, Id }) => engine.json('POST', `/containers/${Id}/start`)));
    const addresses = await Promise.all(
      made.map(
        async ({ engine, Id }) =>
          (await engine.json<ContainerInspect>('GET', `/containers/${Id}/json`)).NetworkSettings.Networks
            .front!.IPAddress,
      ),
    );
    expect(new Set(addresses).size).toBe(200);
  }, 240_000);

  test('without etcd, running containers go on, and new ones get a clear error', async () => {
    await front();
    await start(hosts.a, 'one');
    await start(hosts.b, 'two');
    const to = await address(hosts.b, 'two');
    const from = await inside(hosts.a, 'one');
    await eventually(async () => reaches(from, to), Boolean);
    await stopEtcd();
    expect(reaches(from, to)).toBe(true);
    await expect(start(hosts.a, 'three')).rejects.toThrow(/503 .*the cluster store .* is away/);
    expect((await create(hosts.a, { Name: 'other' })).status).toBe(503);
    startEtcd();
    await hosts.a.engine.json('DELETE', '/containers/three?force=1');
    await eventually(
      () =>
        start(hosts.a, 'three').then(
          () => true,
          () => hosts.a.engine.ask('DELETE', '/containers/three?force=1').then(() => false),
        ),
      Boolean,
    );
    const newer = await inside(hosts.a, 'three');
    // The other host hears of it as soon as it has etcd back, too.
    await eventually(async () => reaches(newer, to), Boolean);
  }, 90_000);

  test('a daemon that starts again keeps its addresses; a host that dies gives them back', async () => {
    await front();
    await start(hosts.a, 'one');
    await start(hosts.b, 'two');
    const lost = await address(hosts.b, 'two');
    const from = await inside(hosts.a, 'one');
    await eventually(async () => reaches(from, lost), Boolean);
    await hosts.b.daemon.end('SIGKILL');
    expect(reaches(from, lost)).toBe(true);
    await hosts.b.daemon.begin();
    expect(reaches(from, lost)).toBe(true);
    await hosts.b.daemon.end('SIGKILL');
    await eventually(async () => {
      const Id = await start(hosts.a, 'probe');
      const found = await address(hosts.a, 'probe');
      await hosts.a.engine.json('DELETE', `/containers/${Id}?force=1`);
      return found === lost;
    }, Boolean);
    await hosts.b.daemon.begin();
  }, 90_000);

  test('a network with containers elsewhere is not removed, and the same name is made once', async () => {
    await front();
    await start(hosts.b, 'two');
    expect((await hosts.a.engine.ask('DELETE', '/networks/front')).status).toBe(403);
    const both = await Promise.all([create(hosts.a, { Name: 'twice' }), create(hosts.b, { Name: 'twice' })]);
    expect(both.map(each => each.status).sort()).toEqual([201, 409]);
    await hosts.a.engine.ask('DELETE', '/networks/twice');
  }, 60_000);
});
