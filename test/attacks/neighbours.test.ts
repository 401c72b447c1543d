// Containers and hosts of the neighbourhood that want more of the host's network than they were given: its routes, its
// loopback, its other networks.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { type HeldProcess, hold } from '../support/held-process.ts';
import { ask, reaches, serve, useNetworkHosts } from '../support/network-hosts.ts';
import { ip } from '../support/own-network.ts';

const hosts = useNetworkHosts();
const { container } = hosts;

const sh = (script: string, pid?: number): string => {
  const line = pid === undefined ? [] : ['nsenter', `--net=/proc/${pid}/ns/net`];
  const [command, ...args] = [...line, 'sh', '-ec', script];
  return execFileSync(command!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
};
const forwards = (version: 4 | 6 = 4): string =>
  readFileSync(
    `/proc/sys/net/${version === 4 ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding'}`,
    'utf8',
  ).trim();

/** A new network namespace takes it from the machine's. */
beforeEach(() => writeFileSync('/proc/sys/net/ipv4/ip_forward', '0'));

/** A host on a network of its own that this host, at ADDRESS.1, is cabled with; its packets for others go there. */
async function neighbour(link: string, network: string, bridge?: string): Promise<HeldProcess> {
  const process = await hold({ wrapper: ['unshare', '--net'] });
  const home = bridge ?? link;
  sh(`ip link add ${link} type veth peer name eth0 netns ${process.pid}
    ${bridge === undefined ? '' : `ip link add ${bridge} type bridge; ip link set ${link} up master ${bridge}`}
    ip addr add ${network}.1/24 dev ${home}; ip link set ${home} up`);
  sh(
    `ip addr add ${network}.2/24 dev eth0; ip link set lo up; ip link set eth0 up; ip route add default via ${network}.1`,
    process.pid,
  );
  return {
    pid: process.pid,
    [Symbol.asyncDispose]: async () => {
      sh(`ip link del ${link}; ${bridge === undefined ? '' : `ip link del ${bridge}`}`);
      await process[Symbol.asyncDispose]();
    },
  };
}

/** From an unprivileged container's point of view: CAP_NET_RAW is enough. ICMPv6 type 134, for half an hour. */
const ADVERTISE = `use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6); socket(S, 10, 3, 58) or die; setsockopt(S, 41, 18, pack('i', 255)) or die;
  send(S, pack('C C n C C n N N', 134, 0, 0, 64, 0, 1800, 0, 0), 0, pack_sockaddr_in6(0, inet_pton(10, 'ff02::1'), if_nametoindex())) or die`;

test("a container that pretends to be a router does not become the host's (CVE-2020-13401)", async () => {
  await hosts.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: 'fd00:6::/64' }] },
  });
  await using evil = await container({ network: 'six' });
  await using mate = await container({ network: 'six' });
  const { bridge } = ip('link show type bridge').map(({ ifname }) => ({ bridge: ifname }))[0]!;
  const index = ip('link show dev eth0', evil.pid)[0].ifindex;
  const advertise = (): void => {
    const script = ADVERTISE.replace('if_nametoindex()', String(index));
    execFileSync('nsenter', [`--net=/proc/${evil.pid}/ns/net`, 'perl', '-e', script]);
    reaches(evil, '172.18.0.1');
  };
  const setting = (link: string, name: string) =>
    readFileSync(`/proc/sys/net/${name.replace('LINK', link)}`, 'utf8').trim();
  await expect
    .poll(() =>
      ip('-6 addr show dev eth0', evil.pid)[0].addr_info.some(
        (each: { tentative?: boolean }) => each.tentative,
      ),
    )
    .toBe(false);
  const routes = ip('-6 route show', mate.pid);
  advertise();
  expect(ip('-6 route show default')).toEqual([]);
  expect(ip('-6 route show', mate.pid)).toEqual(routes);
  // The same packet, where it is believed: what was sent was an advertisement.
  writeFileSync(`/proc/sys/net/ipv6/conf/${bridge}/accept_ra`, '2');
  advertise();
  expect(ip('-6 route show default')).toHaveLength(1);
  sh('ip -6 route flush default');

  const cable = ip('link show type veth').find(({ master }) => master === bridge)!.ifname;
  // Its packets of IPv6 are dropped before they are looked at.
  expect(setting(cable, 'ipv6/conf/LINK/disable_ipv6')).toBe('1');
  for (const name of ['accept_redirects', 'send_redirects', 'secure_redirects', 'proxy_arp'])
    expect(setting(bridge, `ipv4/conf/LINK/${name}`), name).toBe('0');
  expect(setting(bridge, 'ipv6/conf/LINK/accept_redirects')).toBe('0');
});

test('a port published on 127.0.0.1 is reached by no neighbour that sends packets to 127.0.0.1 here', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container();
  await using stranger = await container({ network: 'shop' });
  await using lan = await neighbour('up1', '198.51.100');
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await hosts.networks.publish({
    containerId: web.id,
    bindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
  });
  expect(await ask('host', '127.0.0.1', 8080)).toBe('web to 172.17.0.1');
  // Another program may have allowed it on this link.
  writeFileSync('/proc/sys/net/ipv4/conf/up1/route_localnet', '1');
  for (const { pid } of [lan, stranger]) {
    sh(
      'ip addr flush dev lo; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip route add 127.0.0.0/8 dev eth0 via $(ip route show default | cut -d" " -f3)',
      pid,
    );
    expect(await ask({ pid }, '127.0.0.1', 8080)).toBe('');
  }
});

test('a container on two networks may answer through the other one, and cannot forge addresses of a third', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container();
  const { id, name: containerName, pid } = web;
  await hosts.networks.attach({ network: 'shop', containerId: id, containerName, pid });
  await using stranger = await container({ network: 'shop' });
  await using lan = await neighbour('up1', '198.51.100');
  await using server = await serve(web, { port: 80, name: 'web' });
  await using ear = await serve(lan, { port: 90, protocol: 'udp', name: 'lan' });
  void [server, ear];
  await hosts.networks.publish({
    containerId: web.id,
    bindings: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
  });
  sh('ip route replace default via 172.18.0.1', web.pid);
  expect(await ask(lan, '198.51.100.1', 8080)).toBe('web to 198.51.100.2');
  expect(await ask(stranger, '198.51.100.2', 90, 'udp')).toBe('lan to 198.51.100.1');
  const heard = (): string =>
    sh('cat /proc/net/snmp | sed -n "s/^Udp: \\([0-9]*\\) .*/\\1/p"', lan.pid).trim();
  const before = heard();
  sh(
    'ip addr add 172.17.0.99/32 dev eth0; ip route replace default via 172.18.0.1 src 172.17.0.99',
    stranger.pid,
  );
  expect(await ask(stranger, '198.51.100.2', 90, 'udp')).toBe('');
  expect(heard()).toBe(before);
});

test('a port published at the gateway of a network is for that network and the host', {
  tags: 'further',
}, async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container({ network: 'shop' });
  await using mate = await container({ network: 'shop' });
  await using stranger = await container();
  await using lan = await neighbour('up1', '198.51.100');
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await hosts.networks.publish({
    containerId: web.id,
    bindings: { '80/tcp': [{ HostIp: '172.18.0.1', HostPort: '8080' }] },
  });
  expect(await ask('host', '172.18.0.1', 8080)).toMatch(/^web to /);
  expect(await ask(mate, '172.18.0.1', 8080)).toMatch(/^web to /);
  expect(await ask(stranger, '172.18.0.1', 8080)).toBe('');
  expect(await ask(lan, '172.18.0.1', 8080)).toBe('');
});

test('a host that was no router is none because of a container, but for the container and for bridges of others', async () => {
  await using one = await neighbour('up1', '198.51.100');
  await using before = await neighbour('up2', '203.0.113', 'br-before');
  expect(forwards()).toBe('0');
  {
    await using web = await container();
    expect(forwards()).toBe('1');
    for (const address of ['198.51.100.2', '203.0.113.2', '192.0.2.2'])
      expect(reaches(web, address)).toBe(true);
    expect(reaches(one, '203.0.113.2')).toBe(false);
    expect(reaches(before, '198.51.100.2')).toBe(false);
    // As libvirt and others make them, who find forwarding on.
    await using later = await neighbour('up3', '192.168.77', 'br-later');
    expect(reaches(one, '192.168.77.2')).toBe(true);
    expect(reaches(later, '198.51.100.2')).toBe(true);
  }
  await hosts.networks.close();
  expect(forwards()).toBe('0');
});

test('forwarding is given back by the daemon that follows one that was killed, and IPv6 as well', async () => {
  writeFileSync('/proc/sys/net/ipv6/conf/up0/accept_ra', '1');
  await hosts.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: 'fd00:6::/64' }] },
  });
  expect([forwards(4), forwards(6)]).toEqual(['1', '1']);
  // The host goes on to learn its own way out.
  expect(readFileSync('/proc/sys/net/ipv6/conf/up0/accept_ra', 'utf8')).toBe('2\n');
  hosts.reopen();
  await hosts.networks.adopt([]);
  expect([forwards(4), forwards(6)]).toEqual(['1', '1']);
  await hosts.networks.remove('six');
  expect([forwards(4), forwards(6)]).toEqual(['0', '0']);
  expect(readFileSync('/proc/sys/net/ipv6/conf/up0/accept_ra', 'utf8')).toBe('1\n');
});

test('a host that was a router before goes on to be one', async () => {
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  try {
    await using one = await neighbour('up1', '198.51.100');
    await using two = await neighbour('up2', '203.0.113');
    {
      await using _web = await container();
      expect(reaches(one, '203.0.113.2')).toBe(true);
      expect(reaches(two, '198.51.100.2')).toBe(true);
    }
    await hosts.networks.close();
    expect(forwards()).toBe('1');
  } finally {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
  }
});

test('forwarding that an administrator turns off meanwhile stays off at the end', async () => {
  await hosts.networks.create({ Name: 'shop' });
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
  writeFileSync('/proc/sys/net/ipv4/conf/all/accept_redirects', '0');
  await hosts.networks.remove('shop');
  expect(forwards()).toBe('0');
  expect(readFileSync('/proc/sys/net/ipv4/conf/all/accept_redirects', 'utf8')).toBe('0\n');
});
