// Networks seen from inside containers, from the host, and from a host beyond. All are namespaces of this test.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reaches, run, useNetworkHosts } from '../../test/support/network-hosts.ts';
import { ip } from '../../test/support/own-network.ts';

const hosts = useNetworkHosts();
const { container } = hosts;

test('a container on the default bridge has lo, eth0, an address and a way out', async () => {
  await using web = await container();
  expect(web.endpoint).toMatchObject({
    networkName: 'bridge',
    interface: 'eth0',
    ipAddress: '172.17.0.2',
    ipPrefixLen: 16,
    gateway: '172.17.0.1',
    macAddress: '02:42:ac:11:00:02',
  });
  expect(ip('-4 addr show', web.pid).map(link => [link.ifname, link.addr_info[0].local])).toEqual([
    ['lo', '127.0.0.1'],
    ['eth0', '172.17.0.2'],
  ]);
  expect(ip('-6 addr show dev eth0', web.pid)).toEqual([]);
  expect(reaches(web, '172.17.0.1')).toBe(true);
  expect(reaches(web, '192.0.2.2')).toBe(true);
  expect(reaches('host', '172.17.0.2')).toBe(true);
});

test('containers on one network reach each other at once, and those on others not at all', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using a = await container();
  await using b = await container();
  await using other = await container({ network: 'shop' });
  expect(reaches(a, b.endpoint.ipAddress)).toBe(true);
  expect(reaches(other, a.endpoint.ipAddress)).toBe(false);
  expect(reaches(a, other.endpoint.ipAddress)).toBe(false);
  expect(reaches(other, '192.0.2.2')).toBe(true);
});

test("another machine sees the host's address, and cannot reach into a network", async () => {
  await using web = await container();
  run(hosts.beyond, 'sh', '-c', 'ip route add 172.17.0.0/16 via 192.0.2.1');
  expect(reaches(hosts.beyond, web.endpoint.ipAddress)).toBe(false);
  run(hosts.beyond, 'sh', '-c', 'ip route del 172.17.0.0/16');
  // Without that route an answer finds back only because the question came from the host's address.
  expect(reaches(web, '192.0.2.2')).toBe(true);
});

test('an internal network has no way out and no way in', async () => {
  await hosts.networks.create({ Name: 'vault', Internal: true });
  await using a = await container({ network: 'vault' });
  await using b = await container({ network: 'vault' });
  expect(a.endpoint.gateway).toBe('');
  expect(reaches(a, b.endpoint.ipAddress)).toBe(true);
  expect(ip('-4 route show default', a.pid)).toEqual([]);
  run(a, 'ip', 'route', 'add', 'default', 'via', '172.18.0.1');
  expect(reaches(a, '192.0.2.2')).toBe(false);
});

test('addresses come back when a container ends, and the lowest is given out again', async () => {
  const addresses: string[] = [];
  for (let round = 0; round < 3; round++) {
    await using each = await container();
    addresses.push(each.endpoint.ipAddress);
  }
  expect(addresses).toEqual(['172.17.0.2', '172.17.0.2', '172.17.0.2']);
  expect((await hosts.networks.inspect('bridge')).Containers).toEqual({});
  expect(readdirSync(join(hosts.root, 'connections'))).toEqual([]);
});

test('a subnet is chosen that nothing on the host uses', async () => {
  execFileSync('ip', ['route', 'add', '172.18.0.0/15', 'via', '192.0.2.2']);
  try {
    const { Id } = await hosts.networks.create({ Name: 'shop' });
    expect((await hosts.networks.inspect(Id)).IPAM.Config).toEqual([
      { Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' },
    ]);
    await hosts.networks.remove(Id);
  } finally {
    execFileSync('ip', ['route', 'del', '172.18.0.0/15']);
  }
});

test('a network is made as it was asked for', async () => {
  await hosts.networks.create({
    Name: 'shop',
    IPAM: { Config: [{ Subnet: '10.9.0.0/16', IPRange: '10.9.5.0/24', Gateway: '10.9.0.254' }] },
    Options: { mtu: '1300' },
    Labels: { tier: 'front' },
  });
  await using web = await container({ network: 'shop' });
  await using fixed = await container({
    network: 'shop',
    ipAddress: '10.9.7.7',
    macAddress: '02:00:00:00:00:77',
  });
  expect(web.endpoint).toMatchObject({ ipAddress: '10.9.5.0', ipPrefixLen: 16, gateway: '10.9.0.254' });
  expect(ip('link show dev eth0', web.pid)[0].mtu).toBe(1300);
  expect(ip('link show dev eth0', fixed.pid)[0].address).toBe('02:00:00:00:00:77');
  expect(reaches(web, '10.9.7.7')).toBe(true);
  expect(await hosts.networks.list({ label: ['tier=front'] })).toHaveLength(1);
  await expect(container({ network: 'shop', ipAddress: '10.9.7.7' })).rejects.toThrow(
    'Address already in use: 10.9.7.7 on network shop',
  );
});

test('a network with IPv6 gives addresses of both families, and a way out for both', async () => {
  await hosts.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: 'fd00:6::/64' }] },
  });
  execFileSync('sh', ['-c', 'ip -6 addr add 2001:db8::1/64 dev up0 nodad']);
  run(hosts.beyond, 'ip', '-6', 'addr', 'add', '2001:db8::2/64', 'dev', 'eth0');
  await using a = await container({ network: 'six' });
  await using b = await container({ network: 'six' });
  expect(a.endpoint).toMatchObject({ ipv6Address: 'fd00:6::2', ipv6PrefixLen: 64, ipv6Gateway: 'fd00:6::1' });
  run(a, 'ping', '-6', '-c', '1', '-W', '2', b.endpoint.ipv6Address);
  // The address beyond is tentative for a second.
  await expect
    .poll(
      () => {
        try {
          return run(a, 'ping', '-6', '-c', '1', '-W', '1', '2001:db8::2');
        } catch {
          return '';
        }
      },
      { timeout: 10_000 },
    )
    .toContain('1 packets received');
});

test('a running container is connected to a second network and loses the first', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container();
  await using other = await container({ network: 'shop' });
  const second = await hosts.networks.attach({
    network: 'shop',
    containerId: web.id,
    containerName: 'web',
    pid: web.pid,
  });
  expect(second.interface).toBe('eth1');
  expect(reaches(web, other.endpoint.ipAddress)).toBe(true);
  expect(ip('-4 route show default', web.pid)).toMatchObject([{ gateway: '172.17.0.1' }]);
  await expect(
    hosts.networks.attach({ network: 'shop', containerId: web.id, containerName: 'web', pid: web.pid }),
  ).rejects.toThrow('endpoint with name web already exists in network shop');

  await hosts.networks.detach(web.id, 'bridge');
  expect(ip('link show', web.pid).map(link => link.ifname)).toEqual(['lo', 'eth1']);
  expect(ip('-4 route show default', web.pid)).toMatchObject([{ gateway: second.gateway, dev: 'eth1' }]);
  expect(reaches(web, '192.0.2.2')).toBe(true);
  expect(hosts.networks.endpoints(web.id).map(each => each.networkName)).toEqual(['shop']);
  await expect(hosts.networks.detach(web.id, 'bridge')).rejects.toThrow('is not connected to network bridge');
});

test('a container on none has lo and nothing else', async () => {
  await using alone = await container({ network: 'none' });
  expect(ip('link show', alone.pid).map(link => [link.ifname, link.flags.includes('UP')])).toEqual([
    ['lo', true],
  ]);
  await expect(
    hosts.networks.attach({ network: 'bridge', containerId: alone.id, containerName: 'x', pid: alone.pid }),
  ).rejects.toThrow(/on the network host or none is on no other/);
});

test('what cannot be attached leaves nothing', async () => {
  await using first = await container();
  const links = ip('link show').length;
  const id = 'f'.repeat(64);
  await expect(
    hosts.networks.attach({ network: 'bridge', containerId: id, containerName: 'gone', pid: 4_194_304 }),
  ).rejects.toThrow('process 4194304 has ended');
  await expect(
    hosts.networks.attach({
      network: 'bridge',
      containerId: id,
      containerName: 'bad',
      pid: first.pid,
      macAddress: '01:00:00:00:00:01',
    }),
  ).rejects.toThrow(/EADDRNOTAVAIL|EEXIST/);
  expect(ip('link show')).toHaveLength(links);
  expect(readdirSync(join(hosts.root, 'connections'))).toEqual([`${first.id}.json`]);
});

test('networks that cannot be are refused in one line', async () => {
  await hosts.networks.create({ Name: 'shop', IPAM: { Config: [{ Subnet: '10.9.0.0/16' }] } });
  const create = (Name: string, config = {}, more = {}) =>
    hosts.networks.create({ Name, IPAM: { Config: [config] }, ...more });
  await expect(create('shop')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'network with name shop already exists',
  });
  await expect(create('bridge')).rejects.toMatchObject({ kind: 'forbidden' });
  await expect(create('a b')).rejects.toMatchObject({ kind: 'badParameter' });
  await expect(create('x', { Subnet: '10.9.3.0/24' })).rejects.toThrow('Pool overlaps with other one');
  await expect(create('x', { Subnet: '10.300.0.0/24' })).rejects.toThrow('it must be in CIDR notation');
  await expect(create('x', { Subnet: '10.8.0.0/24', Gateway: '10.7.0.1' })).rejects.toThrow(
    'is not in the subnet',
  );
  await expect(create('x', { Subnet: '10.8.0.0/24', IPRange: '10.8.0.0/16' })).rejects.toThrow(
    'is not in the subnet',
  );
  await expect(create('x', { Gateway: '10.7.0.1' })).rejects.toThrow('needs a --subnet');
  await expect(create('x', {}, { Options: { mtu: 'big' } })).rejects.toThrow('is not a number');
  await expect(create('x', {}, { Driver: 'weave' })).rejects.toMatchObject({ kind: 'notFound' });
  expect((await hosts.networks.list()).map(each => each.Name)).toEqual(['host', 'none', 'bridge', 'shop']);
});

test('a network in use stays, and an unused one is removed with its bridge', async () => {
  const { Id } = await hosts.networks.create({ Name: 'shop' });
  const bridges = () => ip('link show type bridge').map(link => link.ifname);
  {
    await using web = await container({ network: 'shop', name: 'web' });
    expect(web.endpoint.networkId).toBe(Id);
    await expect(hosts.networks.remove('shop')).rejects.toThrow('has active endpoints: web');
    expect(await hosts.networks.prune()).toEqual({ NetworksDeleted: [] });
    expect(bridges()).toContain(`mini-${Id.slice(0, 10)}`);
  }
  await expect(hosts.networks.remove('bridge')).rejects.toThrow(
    'bridge is a pre-defined network and cannot be removed',
  );
  await expect(hosts.networks.inspect('nothing')).rejects.toMatchObject({ kind: 'notFound' });
  await hosts.networks.create({ Name: 'depot' });
  expect(await hosts.networks.prune({}, new Set(['depot']))).toEqual({ NetworksDeleted: ['shop'] });
  await hosts.networks.remove('depot');
  expect(bridges()).not.toContain(`mini-${Id.slice(0, 10)}`);
});

test('the next daemon knows networks and leases, and gives back those of containers that ended meanwhile', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using stays = await container({ network: 'shop', name: 'stays' });
  const ends = await container({ network: 'shop', name: 'ends' });
  hosts.reopen();
  await hosts.networks.adopt([{ containerId: stays.id, pid: stays.pid }]);
  expect(Object.values((await hosts.networks.inspect('shop')).Containers)).toMatchObject([
    { Name: 'stays', IPv4Address: '172.18.0.2/16' },
  ]);
  await using next = await container({ network: 'shop' });
  expect(next.endpoint.ipAddress).toBe('172.18.0.3');
  expect(reaches(stays, next.endpoint.ipAddress)).toBe(true);
  // Its link went although its namespace still lives.
  expect(ip('link show', ends.pid).map(link => link.ifname)).toEqual(['lo']);
  await ends[Symbol.asyncDispose]();
});

test('twenty containers started at once get twenty addresses, and their first packets arrive', async () => {
  await using all = new AsyncDisposableStack();
  const each = await Promise.all(Array.from({ length: 20 }, async () => all.use(await container())));
  expect(new Set(each.map(({ endpoint }) => endpoint.ipAddress)).size).toBe(20);
  expect(reaches(each[0]!, each[19]!.endpoint.ipAddress)).toBe(true);
});

test('a network card of the host is never taken for a bridge', async () => {
  await expect(hosts.networks.create({ Name: 'bad', Options: { bridge: 'up0' } })).rejects.toThrow(
    'link up0 exists and is not ours',
  );
  expect((await hosts.networks.list()).map(each => each.Name)).not.toContain('bad');
});
