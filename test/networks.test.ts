// Networks, end to end: what counts is which packets arrive, and what the kernel shows.
import { describe, expect, test } from 'vitest';
import type { NetworkResource } from '../mini-docker/formats/engine-api/networks.ts';
import { eventually } from './support/engine-client.ts';
import { ask, reaches, serve } from './support/network-hosts.ts';
import {
  address,
  beyond,
  call,
  endpoint,
  engine,
  exec,
  host,
  inside,
  inspect,
  message,
  network,
  resolves,
  SLEEP,
  server,
  start,
  useNetworkScene,
} from './support/network-scene.ts';
import { ip } from './support/own-network.ts';

useNetworkScene();

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

  test('names of any length make rules that nft(8) takes', async () => {
    const [name, long] = ['n'.repeat(200), 'c'.repeat(200)];
    await engine.json('POST', '/networks/create', { Name: name });
    const ports = { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8089' }] } };
    await start(long, server('long'), name, { HostConfig: ports });
    expect(await ask(host, '127.0.0.1', 8089)).toBe('long');
  });

  test("/etc/hosts and /etc/resolv.conf have the container's names and name servers", async () => {
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
    // Another container has its address now.
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

  test('free ports are chosen where none is given, and for all exposed ports with -P', async () => {
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
    await engine.json('POST', '/networks/front/connect', { Container: 'web' });
    expect(await ask(host, await address('web', 'front'), 80)).toBe('web');
    await engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
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
