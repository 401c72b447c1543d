// The daemon's settings for networks, as dockerd has them: what links, routes, rules and packets there are then.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask, reaches, serve, useNetworkHosts } from '../../test/support/network-hosts.ts';
import { ip } from '../../test/support/own-network.ts';
import type { OpenOptions } from './parts.ts';

const hosts = useNetworkHosts();
const { container } = hosts;
const FORWARD = '/proc/sys/net/ipv4/ip_forward';
const forwards = () => readFileSync(FORWARD, 'utf8').trim();

/** Networks with these settings, on a host that forwards nothing yet. */
async function openWith(options: Partial<OpenOptions>): Promise<void> {
  await hosts.networks.close();
  writeFileSync(FORWARD, '0');
  hosts.reopen(options);
}

test('default-gateway: the way out of containers, which none of them gets as its address', async () => {
  await openWith({ bridge: { bip: '10.6.0.1/29', gateway: '10.6.0.3' } });
  await using first = await container();
  await using second = await container();
  expect([first, second].map(each => each.endpoint.ipAddress)).toEqual(['10.6.0.2', '10.6.0.4']);
  expect(ip('route show default', first.pid)).toMatchObject([{ gateway: '10.6.0.3' }]);
  expect(ip('addr show mini-docker0')).toMatchObject([{ addr_info: [{ local: '10.6.0.1' }] }]);
  const { IPAM } = await hosts.networks.inspect('bridge');
  expect(IPAM.Config).toMatchObject([{ AuxiliaryAddresses: { DefaultGatewayIPv4: '10.6.0.3' } }]);
});

test.each([
  [{ bip: '10.6.0.1/24', gateway: '10.7.0.1' }, 'default-gateway 10.7.0.1 is not in the subnet'],
  [{ bip: '10.6.0.1/24', fixedCidr: '10.7.0.0/25' }, 'fixed-cidr 10.7.0.0/25 is not in the subnet'],
])('%j is refused', async (bridge, why) => {
  await hosts.networks.close();
  expect(() => hosts.reopen({ bridge })).toThrow(why);
  hosts.reopen();
});

test('fixed-cidr without bip is a part of the subnet that is chosen', async () => {
  await openWith({ bridge: { fixedCidr: '172.17.128.0/17' } });
  await using one = await container();
  expect(one.endpoint).toMatchObject({ ipAddress: '172.17.128.0', gateway: '172.17.0.1' });
});

test("a bridge of the administrator's is used with its address, and stays", async () => {
  for (const line of ['link add br0 type bridge', 'addr add 10.8.0.1/24 dev br0', 'link set br0 up'])
    execFileSync('ip', line.split(' '));
  try {
    await openWith({ bridge: { bridge: 'br0' } });
    await hosts.networks.create({ Name: 'other' });
    await using web = await container();
    expect(web.endpoint).toMatchObject({ ipAddress: '10.8.0.2', gateway: '10.8.0.1' });
    expect(reaches(web, '10.8.0.1')).toBe(true);
    // Its MAC address is that of a port now, as the kernel has it for a bridge that nobody gave one.
    await hosts.networks.close();
    hosts.reopen({ bridge: { bridge: 'br0' } });
    await hosts.networks.adopt([{ containerId: web.id, pid: web.pid }]);
    await using neighbour = await container();
    expect(reaches(neighbour, '10.8.0.2')).toBe(true);
    await hosts.networks.remove('other');
  } finally {
    await hosts.networks.close();
    expect(ip('-4 addr show br0')).toMatchObject([{ addr_info: [{ local: '10.8.0.1' }] }]);
    execFileSync('ip', ['link', 'del', 'br0']);
  }
});

test('iptables=false: no rules, those of an earlier daemon go, and the daemon passes on what comes to ports', async () => {
  await using before = await container();
  expect(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })).toContain('mini-docker');
  await openWith({ firewall: false });
  await hosts.networks.adopt([{ containerId: before.id, pid: before.pid }]);
  await using web = await container();
  await using _server = await serve(web, { port: 80, name: 'web' });
  await hosts.networks.publish({ containerId: web.id, bindings: { '80/tcp': [{ HostPort: '8080' }] } });
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(before, '172.17.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).toBe('');
  // Packets are forwarded, but with the containers' own addresses, to which the other host has no route.
  expect(forwards()).toBe('1');
  expect(reaches(web, '192.0.2.1')).toBe(true);
  expect(reaches(web, '192.0.2.2')).toBe(false);
  expect(hosts.networks.warnings()).toEqual([]);
  await expect(hosts.networks.partition([[web.id], [before.id]])).rejects.toThrow('iptables is false');
});

test('ip-forward=false: forwarding stays as the administrator has it', async () => {
  await openWith({ forward: false });
  await using web = await container();
  expect(forwards()).toBe('0');
  expect(reaches(web, '192.0.2.2')).toBe(false);
  expect(hosts.networks.warnings()).toEqual([expect.stringContaining('IPv4 forwarding is disabled')]);
  writeFileSync(FORWARD, '1');
  expect(reaches(web, '192.0.2.2')).toBe(true);
});

/** Where the kernel can pass packets of bridges to netfilter, both settings. */
const BRIDGED: [string, string | undefined][] = existsSync('/proc/sys/net/bridge')
  ? [
      [', where bridges filter', '1'],
      [', where they do not', '0'],
    ]
  : [['', undefined]];

test('icc=false: neighbours do not reach each other, but their published ports, and nor do they by ARP', async () => {
  await openWith({ bridge: { icc: false } });
  await using web = await container();
  await using neighbour = await container();
  await using _server = await serve(web, { port: 80, name: 'web' });
  await hosts.networks.publish({ containerId: web.id, bindings: { '80/tcp': [{ HostPort: '8080' }] } });
  expect(await ask(neighbour, web.endpoint.ipAddress, 80)).toBe('');
  expect(reaches(neighbour, web.endpoint.ipAddress)).toBe(false);
  expect(ip('neigh show', neighbour.pid).filter(each => each.lladdr)).toEqual([]);
  for (const place of [neighbour, web, 'host'] as const)
    expect(await ask(place, '172.17.0.1', 8080)).toMatch(/^web to /);
  expect(reaches(neighbour, '192.0.2.2')).toBe(true);
});

test.each(BRIDGED)('icc=false: so it is with UDP%s', { tags: 'further' }, async (_, filter) => {
  if (filter !== undefined) writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', filter);
  await openWith({ bridge: { icc: false } });
  await using web = await container();
  await using neighbour = await container();
  await using _server = await serve(web, { port: 53, protocol: 'udp', name: 'dns' });
  expect(await ask(neighbour, web.endpoint.ipAddress, 53, 'udp')).toBe('');
  await hosts.networks.publish({ containerId: web.id, bindings: { '53/udp': [{ HostPort: '5353' }] } });
  expect(await ask(neighbour, web.endpoint.ipAddress, 53, 'udp')).toBe('');
  for (const place of [neighbour, web, 'host'] as const)
    expect(await ask(place, '172.17.0.1', 5353, 'udp')).toMatch(/^dns to /);
  expect(await ask(hosts.beyond, '192.0.2.1', 5353, 'udp')).toBe('dns to 192.0.2.2');
});
