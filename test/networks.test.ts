// Networks, end to end: containers of a daemon, its host, and another host beyond it. All of them are network
// namespaces of this test's own; what counts is which packets arrive, and what the kernel shows.
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ContainerInspect, EndpointSettings } from '../mini-docker/formats/engine-api.ts';
import type { NetworkResource } from '../mini-docker/formats/engine-api-networks.ts';
import type { EventMessage, SystemInfo } from '../mini-docker/formats/engine-api-system.ts';
import type { NetworkMap } from '../mini-docker/formats/network-map.ts';
import { commandLines } from './command-lines.ts';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { type Answer, type EngineClient, engineClient, eventually } from './engine-client.ts';
import { type HeldProcess, hold } from './held-process.ts';
import { ask, type Place, reaches, serve } from './network-hosts.ts';
import { ip } from './own-network.ts';

let daemon: TestDaemon;
let engine: EngineClient;
/** A host at 192.0.2.2, cabled with the daemon's at 192.0.2.1. It knows no way to containers. */
let beyond: HeldProcess;
let host: Place & { pid: number };

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  host = { pid: daemon.namespaces };
  beyond = await hold({ wrapper: ['unshare', '--net'] });
  for (const line of [
    `ip link add up0 type veth peer name eth0 netns ${beyond.pid}`,
    'ip addr add 192.0.2.1/24 dev up0',
    'ip link set up0 up',
  ])
    execFileSync('nsenter', ['-t', String(host.pid), '-n', ...line.split(' ')]);
  for (const line of ['ip addr add 192.0.2.2/24 dev eth0', 'ip link set eth0 up', 'ip link set lo up'])
    execFileSync('nsenter', ['-t', String(beyond.pid), '-n', ...line.split(' ')]);
});

afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.json('DELETE', `/containers/${Id}?force=1&v=1`);
  for (const { Id } of await engine.json<NetworkResource[]>('GET', '/networks?filters={"type":["custom"]}'))
    await engine.json('DELETE', `/networks/${Id}`);
});

afterAll(async () => {
  await daemon.end('SIGTERM');
  // Nobody is on any network: nothing of them stays.
  expect(ip('link show', host.pid).map(link => link.ifname)).toEqual(['lo', 'up0']);
  const rules = execFileSync('nsenter', ['-t', String(host.pid), '-n', 'nft', 'list', 'ruleset']);
  expect(String(rules)).not.toContain('mini-docker');
  await beyond[Symbol.asyncDispose]();
  await daemon.stop();
});

const SLEEP = ['sleep', '1000'];
/** Answers everybody who connects to its port 80 with its name. */
const server = (name: string) => ['tcpsvd', '-E', '0', '80', 'echo', name];

const inspect = (container: string) => engine.json<ContainerInspect>('GET', `/containers/${container}/json`);
const endpoint = async (container: string, network: string): Promise<EndpointSettings> =>
  (await inspect(container)).NetworkSettings.Networks[network]!;
const address = async (container: string, network = 'bridge') =>
  (await endpoint(container, network)).IPAddress!;
const inside = async (container: string): Promise<{ pid: number }> => ({
  pid: (await inspect(container)).State.Pid,
});

function start(name: string, cmd: string[], network = 'bridge', more: Record<string, unknown> = {}) {
  const { HostConfig, ...rest } = more;
  return engine.run(cmd, { name, ...rest, HostConfig: { NetworkMode: network, ...(HostConfig as object) } });
}

const network = (Name: string, more: object = {}) =>
  engine.json<{ Id: string }>('POST', '/networks/create', { Name, ...more });

/** What a program prints in a running container. */
async function exec(container: string, ...Cmd: string[]): Promise<string> {
  const body = { Cmd, AttachStdout: true, AttachStderr: true, Tty: true };
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${container}/exec`, body);
  const { body: output } = await engine.ask('POST', `/exec/${Id}/start`, { Detach: false, Tty: true });
  return output.toString().replaceAll('\r', '');
}

/** What the server of another container says to a program in this one; '' when there is no way. */
const call = (container: string, to: string, port = 80) =>
  exec(container, 'sh', '-c', `nc -w 1 ${to} ${port} </dev/null 2>/dev/null`);
const resolves = async (container: string, name: string) =>
  /Name:.*\nAddress(?: 1)?: (\S+)/.exec(await exec(container, 'nslookup', '-type=a', name))?.[1];

const message = ({ status, body }: Answer) => `${status} ${JSON.parse(String(body) || '{}').message}`;

describe('the default bridge', () => {
  test('containers have an address, a way to each other and out, and no names', async () => {
    await start('one', SLEEP);
    await start('two', server('two'));
    const { IPAddress, Gateway, IPPrefixLen, MacAddress } = await endpoint('one', 'bridge');
    const [lo, eth0] = ip('addr show', (await inside('one')).pid);
    expect(lo).toMatchObject({ ifname: 'lo', flags: expect.arrayContaining(['UP']) });
    expect(eth0).toMatchObject({ ifname: 'eth0', address: MacAddress });
    expect(eth0.addr_info).toMatchObject([{ local: IPAddress, prefixlen: IPPrefixLen }]);
    expect(eth0.addr_info).toHaveLength(1);
    expect(ip('route show default', (await inside('one')).pid)).toMatchObject([{ gateway: Gateway }]);
    expect(await call('one', await address('two'))).toBe('two\n');
    expect(await exec('one', 'cat', '/etc/resolv.conf')).not.toContain('127.0.0.11');
    await using _outside = await serve({ pid: beyond.pid }, { port: 7, name: 'outside' });
    // The other host answers to the daemon's host: it does not know where containers are.
    expect(await call('one', '192.0.2.2', 7)).toBe('outside to 192.0.2.1');
    expect(reaches({ pid: beyond.pid }, IPAddress!)).toBe(false);
  });

  test('/etc/hosts and /etc/resolv.conf tell what is so', async () => {
    const more = {
      Hostname: 'box',
      Domainname: 'example',
      HostConfig: {
        ExtraHosts: ['db:192.0.2.7', 'gate:host-gateway'],
        Dns: ['192.0.2.53'],
        DnsSearch: ['a.example'],
        DnsOptions: ['ndots:3'],
      },
    };
    await start('one', SLEEP, 'bridge', more);
    const hosts = await exec('one', 'cat', '/etc/hosts');
    const { IPAddress, Gateway } = await endpoint('one', 'bridge');
    expect(hosts).toContain('127.0.0.1\tlocalhost\n');
    expect(hosts).toMatch(`192.0.2.7\tdb\n${Gateway}\tgate\n${IPAddress}\tbox.example box\n`);
    expect(await exec('one', 'cat', '/etc/resolv.conf')).toBe(
      'nameserver 192.0.2.53\nsearch a.example\noptions ndots:3\n',
    );
    expect(await exec('one', 'cat', '/etc/hostname')).toBe('box\n');
    await using _service = await serve(host, { port: 9, name: 'host' });
    expect(await call('one', 'gate', 9)).toContain('host to');
  });

  test('--link: a name in /etc/hosts and variables, which follow the other one', async () => {
    await start('db', SLEEP, 'bridge', {
      ExposedPorts: { '5432/tcp': {} },
      Env: ['SECRET=s', 'HOME=/'],
      Hostname: 'data',
    });
    await start('web', SLEEP, 'bridge', {
      HostConfig: { Links: ['db:store'] },
      Env: ['STORE_PORT_5432_TCP_PROTO=mine'],
    });
    const first = await address('db');
    expect(await exec('web', 'cat', '/etc/hosts')).toContain(`${first}\tstore data db\n`);
    const variables = (await exec('web', 'env')).split('\n').filter(each => each.startsWith('STORE'));
    expect(variables.sort()).toEqual([
      'STORE_ENV_SECRET=s',
      'STORE_NAME=/web/store',
      `STORE_PORT=tcp://${first}:5432`,
      `STORE_PORT_5432_TCP=tcp://${first}:5432`,
      `STORE_PORT_5432_TCP_ADDR=${first}`,
      'STORE_PORT_5432_TCP_PORT=5432',
      'STORE_PORT_5432_TCP_PROTO=mine',
    ]);
    await engine.json('POST', '/containers/db/stop?t=0');
    // Somebody else has its address now.
    const thief = { NetworkMode: 'bridge' };
    await network('away');
    await engine.json('POST', '/networks/bridge/disconnect', { Container: 'db' });
    await engine.json('POST', '/networks/bridge/connect', { Container: 'db' });
    await engine.run(SLEEP, { name: 'thief', HostConfig: thief });
    await engine.json('POST', '/containers/db/start');
    expect(await exec('web', 'cat', '/etc/hosts')).toContain(`${await address('db')}\tstore data db\n`);
    await engine.json('POST', '/containers/db/stop?t=0');
    expect(message(await engine.ask('POST', '/containers/web/restart?t=0'))).toBe(
      '409 Cannot link to a non running container: /db AS /web/store',
    );
  });
});

describe('published ports', () => {
  test('are reached from the host, by all its addresses, from outside, from containers, and with the port of their own', async () => {
    const bindings = {
      '80/tcp': [{ HostPort: '8080' }],
      '7/udp': [{ HostIp: '127.0.0.1', HostPort: '8007' }],
    };
    const script = 'tcpsvd -E 0 80 echo web & udpsvd 0 7 cat';
    await start('web', ['sh', '-c', script], 'bridge', { HostConfig: { PortBindings: bindings } });
    await start('other', SLEEP);
    await network('apart');
    await start('far', SLEEP, 'apart');
    const { Ports } = (await inspect('web')).NetworkSettings;
    expect(Ports).toEqual({
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '7/udp': [{ HostIp: '127.0.0.1', HostPort: '8007' }],
    });
    const gateway = (await endpoint('web', 'bridge')).Gateway!;
    for (const to of ['127.0.0.1', '::1', '192.0.2.1', gateway])
      expect([to, await ask(host, to, 8080)]).toEqual([to, 'web']);
    expect(await ask({ pid: beyond.pid }, '192.0.2.1', 8080)).toBe('web');
    expect(await call('other', '192.0.2.1', 8080)).toBe('web\n');
    expect(await call('far', gateway, 8080)).toBe('web\n');
    expect(await call('web', '192.0.2.1', 8080)).toBe('web\n');
    expect(await ask(host, '127.0.0.1', 8007, 'udp')).toBe('?');
    expect(await ask({ pid: beyond.pid }, '192.0.2.1', 8007, 'udp')).toBe('');
    await engine.json('POST', '/containers/web/stop?t=0');
    expect(await ask(host, '127.0.0.1', 8080)).toBe('');
    expect((await inspect('web')).NetworkSettings.Ports).toEqual({});
  });

  test('free ones are chosen for what has none, and for all that is exposed with -P', async () => {
    await start('web', server('web'), 'bridge', {
      ExposedPorts: { '80/tcp': {}, '81': {} },
      HostConfig: { PublishAllPorts: true, PortBindings: { '82/tcp': [{ HostPort: '9000-9001' }] } },
    });
    const { Ports } = (await inspect('web')).NetworkSettings;
    expect(Object.keys(Ports).sort()).toEqual(['80/tcp', '81/tcp', '82/tcp']);
    expect(Ports['82/tcp']![0]).toEqual({ HostIp: '0.0.0.0', HostPort: '9000' });
    expect(await ask(host, '127.0.0.1', Ports['80/tcp']![0]!.HostPort!)).toBe('web');
    const [shown] = await engine.json<{ Ports: object[] }[]>('GET', '/containers/json');
    expect(shown!.Ports).toContainEqual({
      IP: '0.0.0.0',
      PrivatePort: 80,
      PublicPort: Number(Ports['80/tcp']![0]!.HostPort),
      Type: 'tcp',
    });
  });

  test('one in use is a clear error, and leaves nothing', async () => {
    const HostConfig = {
      PortBindings: { '80/tcp': [{ HostPort: '8081' }], '81/tcp': [{ HostPort: '8082' }] },
    };
    await start('first', server('first'), 'bridge', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8082' }] } },
    });
    const links = () => ip('link show', host.pid).map(each => each.ifname);
    const before = links();
    const id = await engine.create(server('second'), {
      name: 'second',
      HostConfig: { NetworkMode: 'bridge', ...HostConfig },
    });
    const refused = await engine.ask('POST', `/containers/${id}/start`);
    expect(refused.status).toBe(409);
    expect(String(refused.body)).toMatch(/8082 failed: port is already allocated/);
    expect(await inspect('second')).toMatchObject({
      State: { Status: 'created' },
      NetworkSettings: { Ports: {} },
    });
    await eventually(
      async () => links().length,
      count => count === before.length,
    );
    const { Containers } = await engine.json<NetworkResource>('GET', '/networks/bridge');
    expect(Object.values(Containers).map(each => each.Name)).toEqual(['first']);
    expect(await ask(host, '127.0.0.1', 8081)).toBe('');
    await engine.json('DELETE', '/containers/first?force=1');
    await engine.json('POST', `/containers/${id}/start`);
    expect(await ask(host, '127.0.0.1', 8081)).toBe('second');
  });
});

describe('networks of users', () => {
  test('containers call each other by name, alias, id and --link', async () => {
    await network('front');
    await start('web', server('web'), 'front', {
      NetworkingConfig: { EndpointsConfig: { front: { Aliases: ['www'] } } },
    });
    const id = await start('api', server('api'), 'front', {
      HostConfig: { Links: ['web:linked'] },
      NetworkingConfig: { EndpointsConfig: { front: { Aliases: ['www'] } } },
    });
    for (const name of ['web', 'web.front', 'linked', 'WEB'])
      expect([name, await call('api', name)]).toEqual([name, 'web\n']);
    expect(await call('web', id.slice(0, 12))).toBe('api\n');
    expect(await resolves('web', 'linked')).toBeUndefined();
    expect(await exec('api', 'cat', '/etc/resolv.conf')).toMatch(
      /^nameserver 127.0.0.11\n(.*\n)*options .*ndots:0\n/,
    );
    const both = [await address('web', 'front'), await address('api', 'front')].sort();
    const found = [...(await exec('api', 'nslookup', '-type=a', 'www')).matchAll(/Address: ([\d.]+)\n/g)];
    expect(found.map(each => each[1]).sort()).toEqual(both);
    expect(await exec('api', 'nslookup', await address('web', 'front'))).toContain('name = web.front');
    await engine.json('POST', '/containers/web/rename?name=site');
    expect(await call('api', 'site')).toBe('web\n');
    expect((await endpoint('site', 'front')).DNSNames).toContain('site');
    expect(await resolves('api', 'web')).toBeUndefined();
  });

  test('one network cannot reach another, nor its names', async () => {
    await network('front');
    await network('back');
    await start('web', server('web'), 'front');
    await start('db', server('db'), 'back');
    await start('plain', server('plain'));
    expect(await call('db', await address('web', 'front'))).toBe('');
    expect(await call('plain', await address('web', 'front'))).toBe('');
    expect(await call('db', await address('plain'))).toBe('');
    expect(await resolves('db', 'web')).toBeUndefined();
    expect(await resolves('db', 'db')).toBe(await address('db', 'back'));
  });

  test('a running container is connected and disconnected', async () => {
    await network('front');
    await network('back');
    await start('web', server('web'), 'front');
    await start('db', server('db'), 'back');
    await start('plain', SLEEP);
    await engine.json('POST', '/networks/back/connect', {
      Container: 'web',
      EndpointConfig: { Aliases: ['helper'], IPAMConfig: {} },
    });
    expect(ip('addr show', (await inside('web')).pid).map(each => each.ifname)).toEqual([
      'lo',
      'eth0',
      'eth1',
    ]);
    expect(await call('db', 'helper')).toBe('web\n');
    expect(await call('web', 'db')).toBe('db\n');
    expect(await exec('web', 'cat', '/etc/hosts')).toContain(`${await address('web', 'back')}\t`);
    await engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
    // What is left has the way out now.
    const [route] = ip('route show default', (await inside('web')).pid);
    expect(route).toMatchObject({ gateway: (await endpoint('web', 'back')).Gateway, dev: 'eth1' });
    expect(Object.keys((await inspect('web')).NetworkSettings.Networks)).toEqual(['back']);
    // One of the default bridge gets names together with its first network that has them.
    const before = await exec('plain', 'cat', '/etc/resolv.conf');
    await exec('plain', 'sh', '-c', 'echo 192.0.2.9 mine >> /etc/hosts');
    await engine.json('POST', '/networks/back/connect', { Container: 'plain' });
    expect(await call('plain', 'db')).toBe('db\n');
    await engine.json('POST', '/networks/back/disconnect', { Container: 'plain' });
    expect(await exec('plain', 'cat', '/etc/resolv.conf')).toBe(before);
    expect(await exec('plain', 'cat', '/etc/hosts')).toContain('192.0.2.9 mine\n');
    expect(await call('plain', await address('db', 'back'))).toBe('');
    expect(message(await engine.ask('POST', '/networks/back/disconnect', { Container: 'plain' }))).toMatch(
      /^403 container .* is not connected to network back$/,
    );
    expect(message(await engine.ask('POST', '/networks/back/connect', { Container: 'db' }))).toBe(
      '403 endpoint with name db already exists in network back',
    );
  });

  test('without its last network a container has lo only, and can be connected again', async () => {
    await network('front');
    await start('web', server('web'), 'front');
    await engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
    expect(ip('link show', (await inside('web')).pid).map(each => each.ifname)).toEqual(['lo']);
    await engine.json('POST', '/containers/web/restart?t=0');
    expect(ip('link show', (await inside('web')).pid)).toMatchObject([
      { ifname: 'lo', operstate: 'UNKNOWN' },
    ]);
    await engine.json('POST', '/networks/front/connect', { Container: 'web' });
    expect(await ask(host, await address('web', 'front'), 80)).toBe('web');
  });

  test('a container that does not run is on its new networks when it starts', async () => {
    const { Id } = await network('front');
    await network('back');
    const id = await engine.create(SLEEP, { name: 'web', HostConfig: { NetworkMode: Id.slice(0, 12) } });
    await engine.json('POST', '/networks/back/connect', {
      Container: id,
      EndpointConfig: { MacAddress: '02:00:00:00:00:77' },
    });
    await engine.json('POST', '/containers/web/start');
    expect(Object.keys((await inspect('web')).NetworkSettings.Networks).sort()).toEqual(['back', 'front']);
    const links = ip('link show', (await inside('web')).pid);
    expect(links.map(each => each.ifname)).toEqual(['lo', 'eth0', 'eth1']);
    expect(links[2].address).toBe('02:00:00:00:00:77');
    expect((await endpoint('web', 'front')).Gateway).toBe(
      ip('route show default', (await inside('web')).pid)[0].gateway,
    );
  });

  test('addresses as the user wants them: --ip, --ip6, --mac-address, --subnet, --ip-range, --gateway, --aux-address', async () => {
    await network('front', {
      EnableIPv6: true,
      IPAM: {
        Config: [
          {
            Subnet: '10.77.0.0/24',
            IPRange: '10.77.0.128/25',
            Gateway: '10.77.0.9',
            AuxiliaryAddresses: { printer: '10.77.0.129' },
          },
          { Subnet: 'fd77::/64' },
        ],
      },
      Options: { mtu: '1400' },
    });
    const asked = {
      IPAMConfig: { IPv4Address: '10.77.0.20', IPv6Address: 'fd77::20' },
      MacAddress: '02:00:00:00:00:20',
    };
    await start('chosen', SLEEP, 'front', { NetworkingConfig: { EndpointsConfig: { front: asked } } });
    await start('given', SLEEP, 'front');
    expect(await endpoint('chosen', 'front')).toMatchObject({
      IPAddress: '10.77.0.20',
      GlobalIPv6Address: 'fd77::20',
      MacAddress: '02:00:00:00:00:20',
      Gateway: '10.77.0.9',
    });
    expect(await address('given', 'front')).toMatch(/^10\.77\.0\.1(28|3\d)$/);
    const [eth0] = ip('link show eth0', (await inside('chosen')).pid);
    expect(eth0).toMatchObject({ mtu: 1400, address: '02:00:00:00:00:20' });
    expect(await exec('given', 'ping', '-c1', '-W1', 'fd77::20')).toContain('1 packets received');
    const id = await engine.create(SLEEP, {
      HostConfig: { NetworkMode: 'front' },
      NetworkingConfig: { EndpointsConfig: { front: { IPAMConfig: { IPv4Address: '10.77.0.20' } } } },
    });
    expect(message(await engine.ask('POST', `/containers/${id}/start`))).toBe(
      '403 Address already in use: 10.77.0.20 on network front',
    );
  });

  test('an internal one has no way out, and publishes nothing', async () => {
    await network('quiet', { Internal: true });
    await start('web', server('web'), 'quiet', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8083' }] } },
    });
    await start('other', SLEEP, 'quiet');
    expect(await call('other', 'web')).toBe('web\n');
    expect(ip('route show default', (await inside('web')).pid)).toEqual([]);
    expect(await ask(host, '127.0.0.1', 8083)).toBe('');
    // With a network that has a way out its ports are there, too.
    await engine.json('POST', '/networks/bridge/connect', { Container: 'web' });
    expect(await ask(host, '127.0.0.1', 8083)).toBe('web');
    await engine.json('POST', '/networks/bridge/disconnect', { Container: 'web' });
    expect(await ask(host, '127.0.0.1', 8083)).toBe('');
    expect((await inspect('web')).NetworkSettings.Ports).toEqual({});
  });
});

describe('host, none and container:NAME', () => {
  const netns = async (container: string) => readlinkSync(`/proc/${(await inside(container)).pid}/ns/net`);

  test("host is the daemon's own, none has lo and nothing else", async () => {
    await start('open', SLEEP, 'host', { HostConfig: { ExtraHosts: ['gate:host-gateway'] } });
    expect(await netns('open')).toBe(readlinkSync(`/proc/${host.pid}/ns/net`));
    expect(await exec('open', 'cat', '/etc/resolv.conf')).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
    await start('alone', SLEEP, 'none');
    expect(ip('link show', (await inside('alone')).pid)).toMatchObject([
      { ifname: 'lo', flags: expect.arrayContaining(['UP']) },
    ]);
    await network('front');
    for (const container of ['open', 'alone'])
      expect((await engine.ask('POST', '/networks/front/connect', { Container: container })).status).toBe(
        403,
      );
  });

  test('who shares a network keeps it while its owner restarts, stops, and starts again', async () => {
    await network('front');
    await start('owner', SLEEP, 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8084' }] } },
    });
    await start('other', SLEEP, 'front');
    const shared = 'container:owner';
    await start('sharer', server('sharer'), shared);
    await start('second', SLEEP, 'container:sharer');
    expect((await inspect('sharer')).HostConfig.NetworkMode).toBe(`container:${(await inspect('owner')).Id}`);
    const [namespace, had] = [await netns('owner'), await address('owner', 'front')];
    const same = async () => {
      for (const each of ['owner', 'sharer', 'second']) expect(await netns(each)).toBe(namespace);
      expect(await address('owner', 'front')).toBe(had);
      expect(await call('other', 'owner')).toBe('sharer\n');
      expect(await call('second', 'localhost')).toBe('sharer\n');
      expect(await ask(host, '127.0.0.1', 8084)).toBe('sharer');
    };
    await same();
    expect(await exec('sharer', 'cat', '/etc/hosts')).toBe(await exec('owner', 'cat', '/etc/hosts'));
    await engine.json('POST', '/containers/owner/restart?t=0');
    await same();
    await engine.json('POST', '/containers/owner/stop?t=0');
    // The network goes on without its owner, for those who live in it.
    expect(await call('other', had)).toBe('sharer\n');
    expect(await ask(host, '127.0.0.1', 8084)).toBe('sharer');
    await daemon.end('SIGKILL');
    await daemon.begin();
    expect(await call('other', 'owner')).toBe('sharer\n');
    await engine.json('POST', '/containers/owner/start');
    await same();
    // Its files are theirs, too, after it came back.
    await network('more');
    await engine.json('POST', '/networks/more/connect', { Container: 'owner' });
    expect(await exec('second', 'cat', '/etc/hosts')).toContain(await address('owner', 'more'));
    // The last one out gives it back.
    await engine.json('POST', '/containers/owner/stop?t=0');
    for (const each of ['sharer', 'second']) await engine.json('POST', `/containers/${each}/stop?t=0`);
    const taken = async () =>
      Object.values((await engine.json<NetworkResource>('GET', '/networks/front')).Containers);
    await eventually(taken, found => found.length === 1);
    expect(await ask(host, '127.0.0.1', 8084)).toBe('');
    expect(message(await engine.ask('POST', '/containers/sharer/start'))).toBe(
      '409 cannot join network namespace of a non running container: owner',
    );
    // With nobody who kept it, a new one with the old address.
    await engine.json('POST', '/containers/owner/start');
    expect(await address('owner', 'front')).toBe(had);
  });

  test('an owner that is removed takes its network with it', async () => {
    await start('owner', SLEEP);
    await start('sharer', SLEEP, 'container:owner');
    await engine.json('POST', '/containers/owner/stop?t=0');
    await engine.json('DELETE', '/containers/owner');
    expect((await engine.json<NetworkResource>('GET', '/networks/bridge')).Containers).toEqual({});
    await eventually(
      async () => ip('link show', (await inside('sharer')).pid),
      links => links.length === 1,
    );
    // Nothing else of the sharer is disturbed.
    expect(await exec('sharer', 'echo', 'well')).toBe('well\n');
  });

  test.each([
    [{ NetworkMode: 'container:one', PortBindings: { '80/tcp': [{}] } }, {}, 'port publishing'],
    [{ NetworkMode: 'container:one', Dns: ['192.0.2.1'] }, {}, 'dns and the network mode'],
    [{ NetworkMode: 'container:one', ExtraHosts: ['a:192.0.2.1'] }, {}, 'custom host-to-IP'],
    [{ NetworkMode: 'container:one' }, { Hostname: 'mine' }, 'hostname and the network mode'],
    [{ NetworkMode: 'host', Links: ['one:a'] }, {}, "can't be used with links"],
    [{ NetworkMode: 'container:nobody' }, {}, 'No such container: nobody'],
    [{}, { NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ['a'] } } } }, 'network-scoped alias'],
  ])('%j %j is refused', async (HostConfig, more, why) => {
    await engine.create(SLEEP, { name: 'one' });
    const { body } = await engine.ask('POST', '/containers/create', {
      Image: 'busybox',
      ...more,
      HostConfig,
    });
    expect(String(body)).toContain(why);
  });
});

describe('lives', () => {
  test('a restarted container has its address, ports and names again', async () => {
    await network('front');
    const more = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8085' }] } } };
    await start('web', server('web'), 'front', more);
    await start('other', SLEEP, 'front');
    const had = await address('web', 'front');
    for (const how of ['restart?t=0', 'kill', 'start']) {
      await engine.json('POST', `/containers/web/${how}`);
      // Another one comes and takes what is free meanwhile.
      if (how === 'kill') await start('new', SLEEP, 'front');
      else {
        expect(await address('web', 'front')).toBe(had);
        expect(await call('other', 'web')).toBe('web\n');
        expect(await ask(host, '127.0.0.1', 8085)).toBe('web');
      }
    }
  });

  test('networks outlive a daemon that is killed: packets flow without it, and the next one goes on', async () => {
    await network('front', { Labels: { a: 'b' } });
    await start('web', server('web'), 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8086' }] } },
    });
    await start('other', SLEEP, 'front');
    const before = { web: await inspect('web'), front: await engine.json('GET', '/networks/front') };
    await daemon.end('SIGKILL');
    expect(await ask(host, '127.0.0.1', 8086)).toBe('web');
    expect(await ask({ pid: beyond.pid }, '192.0.2.1', 8086)).toBe('web');
    await daemon.begin();
    expect(await engine.json('GET', '/networks/front')).toEqual(before.front);
    expect((await inspect('web')).NetworkSettings).toEqual(before.web.NetworkSettings);
    expect(await call('other', 'web')).toBe('web\n');
    expect(await ask(host, '127.0.0.1', 8086)).toBe('web');
    await start('late', SLEEP, 'front');
    expect(await call('late', 'web')).toBe('web\n');
    const id = await engine.create(SLEEP, {
      HostConfig: { NetworkMode: 'front', PortBindings: { '1/tcp': [{ HostPort: '8086' }] } },
    });
    expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(409);
    expect((await engine.json<SystemInfo>('GET', '/info')).Warnings).toEqual([]);
    await engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
    expect(await ask(host, '127.0.0.1', 8086)).toBe('');
  });
});

describe('a daemon that is killed while containers start', () => {
  test.each([1, 2, 3, 4])('leaves no link, address or port behind (%d)', async round => {
    await network('front');
    const HostConfig = { NetworkMode: 'front', AutoRemove: true, PublishAllPorts: true };
    const starts = Array.from({ length: 6 }, () =>
      engine.run(SLEEP, { ExposedPorts: { '80/tcp': {} }, HostConfig }).catch(() => undefined),
    );
    await new Promise(resolve => setTimeout(resolve, 25 * round));
    await daemon.end('SIGKILL');
    await Promise.all(starts);
    await daemon.begin();
    const running = await engine.json<{ Id: string }[]>('GET', '/containers/json');
    const { Containers } = await engine.json<NetworkResource>('GET', '/networks/front');
    expect(Object.keys(Containers).sort()).toEqual(running.map(each => each.Id).sort());
    const cables = () => ip('link show type veth', host.pid).filter(link => link.ifname !== 'up0');
    await eventually(
      async () => cables().length,
      count => count === running.length,
    );
    for (const { Id } of running) {
      const { Ports } = (await inspect(Id)).NetworkSettings;
      const taken = await engine.create(SLEEP, {
        HostConfig: { NetworkMode: 'bridge', PortBindings: { '81/tcp': [Ports['80/tcp']![0]!] } },
      });
      expect((await engine.ask('POST', `/containers/${taken}/start`)).status).toBe(409);
    }
  });
});

describe('the API', () => {
  test('create, inspect, list with filters, remove, prune', async () => {
    const body = { Name: 'front', Labels: { tier: 'web' }, Internal: true, Attachable: true };
    const created = await engine.json<{ Id: string }>('POST', '/networks/create', body);
    expect(created).toEqual({ Id: expect.stringMatching(/^[0-9a-f]{64}$/), Warning: '' });
    const id = await start('web', SLEEP, 'front');
    const found = await engine.json<NetworkResource>('GET', `/networks/${created.Id.slice(0, 10)}`);
    expect(found).toMatchObject({
      ...body,
      Id: created.Id,
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv6: false,
    });
    expect(found.Containers).toEqual({
      [id]: {
        Name: 'web',
        EndpointID: (await endpoint('web', 'front')).EndpointID,
        MacAddress: (await endpoint('web', 'front')).MacAddress,
        IPv4Address: `${await address('web', 'front')}/${found.IPAM.Config[0]!.Subnet!.split('/')[1]}`,
        IPv6Address: '',
      },
    });
    const names = async (filters: object) => {
      const query = encodeURIComponent(JSON.stringify(filters));
      const list = await engine.json<NetworkResource[]>('GET', `/networks?filters=${query}`);
      return list.map(each => each.Name).sort();
    };
    expect(await names({})).toEqual(['bridge', 'front', 'host', 'none']);
    expect(await names({ label: ['tier=web'] })).toEqual(['front']);
    expect(await names({ driver: ['null'] })).toEqual(['none']);
    expect(await names({ name: ['on'] })).toEqual(['front', 'none']);
    expect(await names({ type: { custom: true } })).toEqual(['front']);
    expect((await engine.ask('GET', '/networks?filters={"color":["red"]}')).status).toBe(400);

    expect(message(await engine.ask('DELETE', '/networks/front'))).toMatch(
      /^403 .*has active endpoints: web/,
    );
    await engine.json('POST', '/containers/web/stop?t=0');
    // A container that does not run wants it still.
    expect(await engine.json('POST', '/networks/prune')).toEqual({ NetworksDeleted: [] });
    await engine.json('DELETE', '/containers/web');
    expect(await engine.json('POST', '/networks/prune')).toEqual({ NetworksDeleted: ['front'] });
  });

  test.each([
    [{ Name: 'host' }, 403, 'predefined'],
    [{ Name: 'x', Driver: 'overlay' }, 404, 'plugin overlay'],
    [{ Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.1' }] } }, 400, 'invalid subnet'],
    [{ Name: 'x', IPAM: { Config: [{ Subnet: '172.17.0.0/16' }] } }, 403, 'overlaps'],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.1.0.0/24', Gateway: '10.2.0.1' }] } },
      400,
      'invalid gateway',
    ],
    [{ Name: '' }, 400, 'cannot be empty'],
    [{}, 400, 'cannot be empty'],
    [{ Name: 'x', Options: { mtu: 'large' } }, 400, 'is not a number'],
  ])('create %j is refused with %d', async (body, status, why) => {
    const subnet = (await engine.json<NetworkResource>('GET', '/networks/bridge')).IPAM.Config[0]!.Subnet!;
    const text = JSON.stringify(body).replace('172.17.0.0/16', subnet);
    const answer = await engine.ask('POST', '/networks/create', JSON.parse(text));
    expect([answer.status, String(answer.body)]).toEqual([status, expect.stringContaining(why)]);
  });

  test('what is not there is 404, a name that is taken 409', async () => {
    await network('front');
    expect((await engine.ask('POST', '/networks/create', { Name: 'front' })).status).toBe(409);
    for (const [method, path] of [
      ['GET', '/networks/nope'],
      ['DELETE', '/networks/nope'],
      ['POST', '/networks/nope/connect'],
      ['POST', '/networks/front/connect'],
    ] as const)
      expect(
        (await engine.ask(method, path, method === 'POST' ? { Container: 'nobody' } : undefined)).status,
      ).toBe(404);
    const id = await engine.create(SLEEP, { HostConfig: { NetworkMode: 'nope' } });
    expect(message(await engine.ask('POST', `/containers/${id}/start`))).toBe('404 network nope not found');
    expect((await engine.ask('DELETE', '/networks/bridge')).status).toBe(403);
  });

  test('an exhausted pool is a clear error', async () => {
    await network('tiny', { IPAM: { Config: [{ Subnet: '10.78.0.0/30' }] } });
    await start('one', SLEEP, 'tiny');
    const id = await engine.create(SLEEP, { HostConfig: { NetworkMode: 'tiny' } });
    expect(message(await engine.ask('POST', `/containers/${id}/start`))).toMatch(
      /^403 no available IPv4 addresses/,
    );
  });

  test('events tell of create, connect, disconnect and destroy', async () => {
    const since = Date.now() / 1000;
    const { Id } = await network('told');
    const id = await start('web', SLEEP, 'told');
    await engine.json('DELETE', '/containers/web?force=1');
    await engine.json('DELETE', '/networks/told');
    const filters = encodeURIComponent('{"type":["network"],"network":["told"]}');
    const query = `since=${since}&until=${Date.now() / 1000 + 0.05}&filters=${filters}`;
    const lines = String((await engine.ask('GET', `/events?${query}`)).body)
      .trim()
      .split('\n');
    const events = lines.map(line => JSON.parse(line) as EventMessage);
    expect(events.map(each => [each.Action, each.Actor])).toEqual([
      ['create', { ID: Id, Attributes: { name: 'told', type: 'bridge' } }],
      ['connect', { ID: Id, Attributes: { container: id, name: 'told', type: 'bridge' } }],
      ['disconnect', { ID: Id, Attributes: { container: id, name: 'told', type: 'bridge' } }],
      ['destroy', { ID: Id, Attributes: { name: 'told', type: 'bridge' } }],
    ]);
  });

  test('the map is what the kernel has', async () => {
    await network('front');
    await start('web', server('web'), 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8087' }] } },
    });
    const map = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
    const front = map.bridges.find(each => each.network === 'front')!;
    const [bridge] = ip(`link show ${front.link}`, host.pid);
    expect(front).toMatchObject({ mac: bridge.address, mtu: 1500, up: true });
    const [cable] = front.cables;
    expect(ip(`link show ${cable!.link}`, host.pid)[0].master).toBe(front.link);
    const { IPAddress, IPPrefixLen, MacAddress } = await endpoint('web', 'front');
    expect(cable!.end).toMatchObject({
      container: 'web',
      interface: 'eth0',
      mac: MacAddress,
      addresses: [`${IPAddress}/${IPPrefixLen}`],
    });
    expect(map.published).toEqual([
      {
        protocol: 'tcp',
        hostIp: '127.0.0.1',
        hostPort: 8087,
        container: 'web',
        containerIp: IPAddress,
        containerPort: 80,
      },
    ]);
    // Somebody takes the cable out: that is what it shows then.
    execFileSync('nsenter', ['-t', String(host.pid), '-n', 'ip', 'link', 'set', cable!.link, 'nomaster']);
    const after = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
    expect(after.bridges.find(each => each.network === 'front')!.cables).toEqual([]);
  });
});

describe.each(commandLines(() => daemon))('$name', ({ name, does, cli }) => {
  test('network create, ls, inspect, connect, disconnect, rm, prune', async () => {
    const id = (
      await does(
        'network create --label a=b --subnet 10.79.0.0/24 --ip-range 10.79.0.64/26 --gateway 10.79.0.9 --aux-address x=10.79.0.65 -o com.docker.network.driver.mtu=1300 --attachable front',
      )
    ).trim();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await does('network ls --filter label=a')).toMatch(
      new RegExp(`^NETWORK ID +NAME +DRIVER +SCOPE\n${id.slice(0, 12)} +front +bridge +local\n$`),
    );
    expect(await does('network ls -q --no-trunc --filter name=front')).toBe(`${id}\n`);
    const [found] = JSON.parse(await does('network inspect front'));
    expect(found).toMatchObject({
      Attachable: true,
      IPAM: {
        Config: [
          {
            Subnet: '10.79.0.0/24',
            IPRange: '10.79.0.64/26',
            Gateway: '10.79.0.9',
            AuxiliaryAddresses: { x: '10.79.0.65' },
          },
        ],
      },
      Options: { 'com.docker.network.driver.mtu': '1300' },
    });
    await does('network create --ipv6 --internal back');
    expect(await does(['network', 'inspect', '-f', '{{.Internal}} {{.EnableIPv6}}', 'back'])).toBe(
      'true true\n',
    );
    await does('run -d --name web --net front --ip 10.79.0.70 --network-alias www busybox sleep 1000');
    expect(await does('run --rm --net front busybox ping -c1 -W1 www')).toContain('64 bytes from 10.79.0.70');
    expect(await cli('network connect --ip6 2001:db8::1 back web')).toMatchObject({
      code: 1,
      err: expect.stringContaining('does not belong to the subnet'),
    });
    expect(await does('network connect --alias site back web')).toBe('');
    expect(await does('run --rm --net back busybox ping -c1 -W1 site')).toContain('64 bytes');
    expect(await cli('network rm back')).toMatchObject({
      code: 1,
      err: expect.stringContaining('active endpoints'),
    });
    expect(await does('network disconnect back web')).toBe('');
    expect(await does('network rm back')).toBe('back\n');
    expect(await does('rm -f web')).toBe('web\n');
    expect(await does('network prune -f')).toBe('Deleted Networks:\nfront\n\n');
    expect(await cli('network inspect front')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/network front not found|No such network: front/),
    });
  });

  test('run -p, -P, --expose, port, ps; --link, --add-host, --dns, --mac-address; --net container', async () => {
    await does([
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      '127.0.0.1:8090:80',
      '-P',
      '--expose',
      '81',
      '--mac-address',
      '02:00:00:00:00:09',
      'busybox',
      ...server('web'),
    ]);
    expect(await does('port web 80')).toBe('127.0.0.1:8090\n');
    // Older clients list them in any order.
    expect((await does('port web')).trim().split('\n').sort()).toEqual([
      '80/tcp -> 127.0.0.1:8090',
      expect.stringMatching(/^81\/tcp -> 0.0.0.0:\d+$/),
      expect.stringMatching(/^81\/tcp -> (\[::\]|::):\d+$/),
    ]);
    expect(await does(['ps', '--format', '{{.Ports}}'])).toMatch(
      /^127.0.0.1:8090->80\/tcp, 0.0.0.0:(\d+)->81\/tcp, (\[::\]|::):+\1->81\/tcp\n$/,
    );
    expect(await ask(host, '127.0.0.1', 8090)).toBe('web');
    const hosts = await does(
      'run --rm --link web:www --add-host here:host-gateway --dns 192.0.2.5 busybox cat /etc/hosts /etc/resolv.conf',
    );
    expect(hosts).toMatch(/\twww \w+ web\n/);
    expect(hosts).toMatch(/\d\there\n/);
    expect(hosts).toContain('nameserver 192.0.2.5\n');
    expect(await does('run --rm --net container:web busybox cat /sys/class/net/eth0/address')).toBe(
      '02:00:00:00:00:09\n',
    );
    expect(await cli('run --rm -p 127.0.0.1:8090:80 busybox true')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/8090/),
    });
    expect(await does('ps -aq')).toMatch(/^\w{12}\n$/);
  });

  if (name !== 'mini-docker') return;
  test('network map draws them', async () => {
    await does(['run', '-d', '--name', 'web', '-p', '8091:80', 'busybox', ...server('web')]);
    const drawn = await does('network map');
    expect(drawn).toMatch(/─ bridge · bridge mini-docker0 · 172\.\d+\.0\.1\/16\n/);
    expect(drawn).toMatch(
      /└─ veth-\w+ ═══ eth0 of web · 172\.\d+\.0\.\d+\/16 · 02:42:\S+\n +0\.0\.0\.0:8091 ─▶ 80\/tcp\n/,
    );
  });
});
