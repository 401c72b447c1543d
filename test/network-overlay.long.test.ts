// The driver overlay: three daemons, each with a host of its own, and Debian's etcd on a fourth, on one switch. Two reach
// it by TLS, one without; it wants a password of all.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  const hosts = {} as { a: Host; b: Host; c: Host };
  let hub: HeldProcess;
  let etcd: ChildProcess;
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-etcd-'));
  const file = (name: string) => join(directory, name);
  /** With TLS and without. */
  const [SECURE, PLAIN] = [`${STORE}:2379`, `${STORE}:2378`];
  const TLS = ['kv.cacertfile=ca.pem', 'kv.certfile=host.pem', 'kv.keyfile=host.key'];
  const USER = ['kv.username=hosts', 'kv.passwordfile=password'];

  const within = (pid: number, ...command: string[]) =>
    execFileSync('nsenter', ['-t', String(pid), '-n', ...command.flatMap(each => each.split(' '))], {
      stdio: 'pipe',
    });

  /** An authority, and certificates of the store and the hosts. */
  const makeCertificates = () => {
    const openssl = (line: string) =>
      execFileSync('openssl', line.split(' '), { cwd: directory, stdio: 'pipe' });
    const key = '-newkey rsa:2048 -nodes';
    openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2`);
    writeFileSync(file('san'), `subjectAltName=IP:${STORE}`);
    for (const name of ['store', 'host']) {
      openssl(`req ${key} -keyout ${name}.key -out ${name}.csr -subj /O=${name}`);
      const authority = '-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san';
      openssl(`x509 -req -in ${name}.csr -out ${name}.pem ${authority}`);
    }
    writeFileSync(file('password'), 'a secret\n', { mode: 0o600 });
  };
  const startEtcd = () => {
    const urls = `https://${SECURE},http://${PLAIN}`;
    const args = ['--data-dir', file('etcd'), '--listen-client-urls', urls, '--advertise-client-urls', urls];
    const tls = ['--cert-file', file('store.pem'), '--key-file', file('store.key')];
    const clients = ['--client-cert-auth', '--trusted-ca-file', file('ca.pem')];
    const alone = ['--listen-peer-urls', 'http://127.0.0.1:2380', '--log-level', 'error'];
    const all = [...args, ...tls, ...clients, ...alone];
    etcd = spawn('nsenter', ['-t', String(hub.pid), '-n', 'etcd', ...all], { stdio: 'ignore' });
  };
  const stopEtcd = async () => {
    const ended = new Promise(resolve => etcd.once('close', resolve));
    etcd.kill('SIGKILL');
    await ended;
  };
  /** Only a user with the password may read and write what hosts share. */
  const wantPassword = async () => {
    const ask = (path: string, body: object) =>
      within(hub.pid, 'curl -sfS -d', JSON.stringify(body).replaceAll(' ', ''), `http://${PLAIN}/v3/${path}`);
    const status = async () => {
      try {
        return String(ask('maintenance/status', {}));
      } catch (error) {
        return (error as Error).message;
      }
    };
    await eventually(status, answer => answer.includes('leader'));
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const [key, range_end] = [base64('/'), base64('0')];
    ask('auth/user/add', { name: 'root', password: 'root' });
    ask('auth/user/grant', { user: 'root', role: 'root' });
    ask('auth/role/add', { name: 'shared' });
    ask('auth/role/grant', { name: 'shared', perm: { permType: 'READWRITE', key, range_end } });
    within(
      hub.pid,
      'curl -sfS -d',
      '{"name":"hosts","password":"a\\u0020secret"}',
      `http://${PLAIN}/v3/auth/user/add`,
    );
    ask('auth/user/grant', { user: 'hosts', role: 'shared' });
    ask('auth/enable', {});
  };

  const startHost = async (name: string, given: { address: string; store: string; options: string[] }) => {
    const { address, store, options } = given;
    const args = ['--cluster-store', `etcd://${store}`, '--cluster-advertise', address];
    for (const option of [`discovery.ttl=${TTL}`, ...options]) {
      const [key, value = ''] = option.split('=');
      args.push('--cluster-store-opt', `${key}=${/file$/.test(key!) ? file(value) : value}`);
    }
    const daemon = await startDaemon({ args });
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
      'ip link add switch address 02:00:00:00:00:01 type bridge',
      `ip addr add ${STORE}/24 dev switch`,
      'ip link set switch up',
    ])
      within(hub.pid, line);
    makeCertificates();
    startEtcd();
    await wantPassword();
    const secure = { store: SECURE, options: [...TLS, ...USER] };
    hosts.a = await startHost('a', { address: '10.77.0.1', ...secure });
    hosts.b = await startHost('b', { address: '10.77.0.2', ...secure });
    hosts.c = await startHost('c', { address: '10.77.0.3', store: PLAIN, options: USER });
  }, 60_000);

  afterEach(async () => {
    for (const { engine } of Object.values(hosts))
      for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
        await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
    await eventually(
      () => hosts.a.engine.ask('DELETE', '/networks/front'),
      answer => answer.status !== 403,
    );
    for (const host of Object.values(hosts))
      await eventually(
        () => names(host),
        found => !found.includes('front'),
      );
  });

  afterAll(async () => {
    await stopEtcd();
    for (const { daemon } of Object.values(hosts)) await daemon.stop();
    await hub[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const names = async ({ engine }: Host) =>
    (await engine.json<{ Name: string }[]>('GET', '/networks')).map(each => each.Name);
  const create = (host: Host, more: object = {}) =>
    host.engine.ask('POST', '/networks/create', { Name: 'front', Driver: 'overlay', ...more });
  /** On all hosts. */
  const front = async (more: object = {}) => {
    await eventually(
      () => create(hosts.a, more),
      answer => answer.status !== 503,
    );
    for (const host of Object.values(hosts))
      await eventually(
        () => names(host),
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
    expect(map.hosts?.map(each => each.address).sort()).toEqual(['10.77.0.1', '10.77.0.2', '10.77.0.3']);
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

  test('IPv6: containers of all hosts reach each other by name, and an address is given out once', async () => {
    await front({
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: 'fd77::/64' }, { Subnet: '10.70.0.0/24' }] },
    });
    const three = Object.entries(hosts);
    await Promise.all(three.map(([name, host]) => start(host, `on-${name}`)));
    const addresses = await Promise.all(
      three.map(async ([name, host]) => (await inspect(host, `on-${name}`)).NetworkSettings.Networks.front!),
    );
    expect(new Set(addresses.map(each => each.GlobalIPv6Address)).size).toBe(3);
    for (const [name, host] of three)
      for (const [other] of three)
        await eventually(
          () => exec(host, `on-${name}`, 'ping6', '-c1', '-W1', `on-${other}.front`),
          answer => answer.includes('1 packets received'),
        );
    const asked = { name: 'more', HostConfig: { NetworkMode: 'front' } };
    const EndpointsConfig = { front: { IPAMConfig: { IPv6Address: addresses[0]!.GlobalIPv6Address } } };
    await expect(
      hosts.c.engine.run(['true'], { ...asked, NetworkingConfig: { EndpointsConfig } }),
    ).rejects.toThrow(/Address already in use/);
  }, 60_000);

  test('no two networks have the same VNI; what the driver lacks is refused', async () => {
    const option = 'com.docker.network.driver.overlay.vxlanid_list';
    const both = await Promise.all(
      [hosts.a, hosts.c].map((host, index) =>
        create(host, { Name: `same${index}`, Options: { [option]: '4242' } }),
      ),
    );
    expect(both.map(each => each.status).sort()).toEqual([201, 403]);
    const refused = both.find(each => each.status === 403)!;
    expect(String(refused.body)).toContain('VXLAN network identifier 4242 is in use');
    await hosts.b.engine.ask('DELETE', `/networks/same${both.indexOf(refused) === 0 ? 1 : 0}`);
    // The number is free again.
    expect((await create(hosts.b, { Options: { [option]: '4242' } })).status).toBe(201);
    expect((await create(hosts.a, { Name: 'secret', Options: { encrypted: '' } })).status).toBe(501);
    expect((await create(hosts.a, { Name: 'many', Options: { [option]: '1,2' } })).status).toBe(400);
  }, 60_000);

  test('a container that restarts, or is disconnected and connected again, is reached by its name', async () => {
    await front();
    await start(hosts.a, 'web', ['tcpsvd', '-E', '0', '80', 'echo', 'hello']);
    await start(hosts.c, 'client');
    const answers = (wanted: string) =>
      eventually(
        () => exec(hosts.c, 'client', 'sh', '-c', 'nc -w 1 web 80 </dev/null 2>/dev/null'),
        answer => answer === wanted,
      );
    await answers('hello\n');
    await hosts.a.engine.json('POST', '/containers/web/restart?t=0');
    await answers('hello\n');
    await hosts.a.engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
    await answers('');
    // Its address is free for the others.
    await start(hosts.b, 'taker');
    await hosts.a.engine.json('POST', '/networks/front/connect', { Container: 'web' });
    await answers('hello\n');
    // Its bridge is removed by hand: the next container has a new one, with the same tunnel.
    const { Id } = await hosts.b.engine.json<{ Id: string }>('GET', '/networks/front');
    within(hosts.b.daemon.namespaces, `ip link del mini-${Id.slice(0, 10)}`);
    await start(hosts.b, 'after');
    await eventually(
      () => exec(hosts.b, 'after', 'sh', '-c', 'nc -w 1 web 80 </dev/null 2>/dev/null'),
      answer => answer === 'hello\n',
    );
    await hosts.a.engine.json('POST', '/containers/web/rename?name=www');
    await eventually(
      () => exec(hosts.c, 'client', 'sh', '-c', 'nc -w 1 www 80 </dev/null 2>/dev/null'),
      answer => answer === 'hello\n',
    );
  }, 60_000);

  test('a store that is not trusted, or that does not know the password, is a clear error', async () => {
    for (const [options, store, why] of [
      [USER, SECURE, /socket hang up|EPROTO|ECONNRESET/],
      [['kv.cacertfile=host.pem', ...USER], SECURE, /certificate/],
      [
        ['kv.username=other', 'kv.passwordfile=password'],
        PLAIN,
        /authentication failed, invalid user ID or password/,
      ],
    ] as const) {
      const host = await startHost('d', { address: '10.77.0.4', store, options: [...options] });
      try {
        const answer = await eventually(
          () => create(host, { Name: 'mine' }),
          each => !String(each.body).includes('EHOSTUNREACH') && !String(each.body).includes('ENETUNREACH'),
        );
        expect(answer.status).toBe(503);
        expect(String(answer.body)).toMatch(why);
      } finally {
        await host.daemon.stop();
      }
    }
  }, 60_000);
});
