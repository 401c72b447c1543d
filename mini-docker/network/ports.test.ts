// Published ports, asked from beyond, from the host, and from containers; with NAT and without.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../../test/support/engine-client.ts';
import { ask, serve, type TestContainer, useNetworkHosts } from '../../test/support/network-hosts.ts';

const hosts = useNetworkHosts();
const { container } = hosts;

const publish = ({ id }: TestContainer, bindings: Parameters<typeof hosts.networks.publish>[0]['bindings']) =>
  hosts.networks.publish({ containerId: id, bindings });

test('a published port is reached from beyond, from the host by any of its addresses, and from containers', async () => {
  await hosts.networks.create({ Name: 'shop' });
  await using web = await container();
  await using neighbour = await container();
  await using stranger = await container({ network: 'shop' });
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  const ports = await publish(web, { '80/tcp': [{ HostPort: '8080' }] });
  expect(ports).toEqual({
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
  });
  // A client on another machine is seen under its own address.
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('web to 192.0.2.2');
  expect(await ask('host', '192.0.2.1', 8080)).toBe('web to 192.0.2.1');
  expect(await ask('host', '127.0.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask('host', '::1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask('host', '172.17.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(neighbour, '172.17.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(neighbour, '192.0.2.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(web, '172.17.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(stranger, '192.0.2.1', 8080)).toMatch(/^web to /);
  expect(await ask(neighbour, web.endpoint.ipAddress, 80)).toBe('web to 172.17.0.3');
  // Published or not, no other machine reaches the container's own address; and other ports are not affected.
  expect(await ask(hosts.beyond, '192.0.2.1', 80)).toBe('');
});

test('a port published on one address is reached there only', async () => {
  await using web = await container();
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await publish(web, { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] });
  expect(await ask('host', '127.0.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask('host', '192.0.2.1', 8080)).toBe('');
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('');
});

test('a port of a container with IPv6 is published on all addresses of the host, ::1 too', async () => {
  execFileSync('ip', ['-6', 'addr', 'add', '2001:db8::1/64', 'dev', 'up0', 'nodad']);
  await hosts.networks.create({ Name: 'six', EnableIPv6: true });
  await using web = await container({ network: 'six' });
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await publish(web, {
    '80/tcp': [
      { HostPort: '8080' },
      { HostIp: '::1', HostPort: '8081' },
      { HostIp: '127.0.0.1', HostPort: '8082' },
    ],
  });
  for (const address of ['2001:db8::1', '::1', '127.0.0.1', '192.0.2.1'])
    await eventually(
      () => ask('host', address, 8080),
      answer => answer.startsWith('web to '),
    );
  expect(await ask(web, '2001:db8::1', 8080)).toMatch(/^web to /);
  expect(await ask('host', '::1', 8081)).toMatch(/^web to /);
  expect(await ask('host', '2001:db8::1', 8081)).toBe('');
  expect(await ask(hosts.beyond, '192.0.2.1', 8082)).toBe('');
  await using dns = await serve(web, { port: 53, protocol: 'udp', name: 'dns' });
  void dns;
  await publish(web, { '53/udp': [{ HostIp: '', HostPort: '5353' }] });
  for (const address of ['2001:db8::1', '::1', '127.0.0.1', '192.0.2.1'])
    expect(await ask('host', address, 5353, 'udp')).toMatch(/^dns to /);
  await publish(web, { '53/udp': [{ HostIp: '::', HostPort: '5353' }] });
  for (const address of ['2001:db8::1', '::1'])
    expect(await ask('host', address, 5353, 'udp')).toMatch(/^dns to /);
  execFileSync('ip', ['-6', 'addr', 'del', '2001:db8::1/64', 'dev', 'up0']);
});

test('UDP is published as TCP is', async () => {
  await using dns = await container();
  await using server = await serve(dns, { port: 53, protocol: 'udp', name: 'dns' });
  void server;
  await publish(dns, { '53/udp': [{ HostPort: '5353' }] });
  expect(await ask(hosts.beyond, '192.0.2.1', 5353, 'udp')).toBe('dns to 192.0.2.2');
  expect(await ask('host', '127.0.0.1', 5353, 'udp')).toBe('dns to 172.17.0.1');
});

test('a client that keeps sending UDP to a port reaches the container that has the port now', async () => {
  // One socket, so that for NAT it is one flow.
  const script = `
    const socket = require('dgram').createSocket('udp4');
    socket.on('message', data => console.log(String(data)));
    setInterval(() => socket.send('?', 5353, '192.0.2.1'), 20);`;
  const args = [`--net=/proc/${hosts.beyond.pid}/ns/net`, process.execPath, '-e', script];
  const sender = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let heard = '';
  sender.stdout.on('data', chunk => {
    heard += chunk;
  });
  try {
    for (const name of ['first', 'second']) {
      await using each = await container();
      await using server = await serve(each, { port: 53, protocol: 'udp', name });
      void server;
      await publish(each, { '53/udp': [{ HostPort: '5353' }] });
      await expect.poll(() => heard, { timeout: 3000 }).toContain(`${name} to 192.0.2.2`);
    }
  } finally {
    sender.kill();
  }
});

test("a container cannot reach what listens on the host's 127.0.0.1", async () => {
  await using web = await container();
  await using server = await serve('host', { port: 7777, name: 'secret' });
  void server;
  await publish(web, { '80/tcp': [{ HostPort: '8080' }] });
  execFileSync('nsenter', [
    `--net=/proc/${web.pid}/ns/net`,
    'sh',
    '-c',
    'ip addr flush dev lo && ip route add 127.0.0.0/8 via 172.17.0.1 && echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet',
  ]);
  expect(await ask('host', '127.0.0.1', 7777)).toContain('secret');
  expect(await ask(web, '127.0.0.1', 7777)).toBe('');
});

test('a port that is in use is refused, and nothing of the publication stays', async () => {
  await using first = await container();
  await using second = await container();
  await publish(first, { '80/tcp': [{ HostPort: '8080' }] });
  await expect(
    publish(second, { '81/tcp': [{ HostPort: '8081' }], '80/tcp': [{ HostPort: '8080' }] }),
  ).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('Bind for 0.0.0.0:8080 failed: port is already allocated'),
  });
  expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).not.toContain('8081');
  await publish(second, { '81/tcp': [{ HostPort: '8081' }] });

  const other = createServer().listen(8090);
  await expect(publish(second, { '82/tcp': [{ HostPort: '8090' }] })).rejects.toThrow(/:8090 failed/);
  other.close();
});

test('a port is free again as soon as its container has gone', async () => {
  for (let round = 0; round < 3; round++) {
    await using web = await container();
    await using server = await serve(web, { port: 80, name: `web${round}` });
    void server;
    await publish(web, { '80/tcp': [{ HostPort: '8080' }] });
    expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe(`web${round} to 192.0.2.2`);
  }
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('');
});

test('any free port, and the first free one of a range, are chosen', async () => {
  await using first = await container();
  await using second = await container();
  const ports = await publish(first, {
    '80/tcp': [{}],
    '53/udp': null,
    '90/tcp': [{ HostPort: '8100-8102' }],
  });
  const chosen = Number(ports['80/tcp']?.[0]?.HostPort);
  expect(chosen).toBeGreaterThan(1023);
  expect(ports['80/tcp']?.[1]).toEqual({ HostIp: '::', HostPort: String(chosen) });
  expect(ports['53/udp']).toBeUndefined();
  expect(ports['90/tcp']?.[0]?.HostPort).toBe('8100');
  expect((await publish(second, { '90/tcp': [{ HostPort: '8100-8102' }] }))['90/tcp']?.[0]?.HostPort).toBe(
    '8101',
  );
});

test('what cannot be published is refused in one line', async () => {
  await using web = await container();
  await expect(publish(web, { '99999/tcp': [{}] })).rejects.toThrow('invalid port "99999/tcp"');
  await expect(publish(web, { '80/tcp': [{ HostPort: '80a' }] })).rejects.toThrow('invalid host port "80a"');
  await expect(publish(web, { '80/tcp': [{ HostIp: '300.1.1.1' }] })).rejects.toThrow('invalid host address');
  await expect(publish(web, { '80/tcp': [{ HostIp: '198.51.100.7', HostPort: '80' }] })).rejects.toThrow(
    'this host does not have the address 198.51.100.7',
  );
});

test('the next daemon holds the ports that the last one published', async () => {
  await using web = await container();
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await publish(web, { '80/tcp': [{ HostPort: '8080' }] });
  // A daemon that is killed closes its sockets and leaves the rules.
  const rules = execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });
  await hosts.networks.close();
  expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).toBe(rules);
  hosts.reopen();
  await hosts.networks.adopt([{ containerId: web.id, pid: web.pid }]);
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('web to 192.0.2.2');
  expect(await ask('host', '::1', 8080)).toBe('web to 172.17.0.1');
  await using second = await container();
  await expect(publish(second, { '80/tcp': [{ HostPort: '8080' }] })).rejects.toThrow('already allocated');
});

test('forwarding goes on beside a firewall that drops what it does not know', async () => {
  await using web = await container();
  await using server = await serve(web, { port: 80, name: 'web' });
  void server;
  await publish(web, { '80/tcp': [{ HostPort: '8080' }] });
  execFileSync('iptables', ['-P', 'FORWARD', 'DROP']);
  execFileSync('nft', ['-f', '-'], {
    input:
      'table inet firewalld { chain filter_FORWARD { type filter hook forward priority 10; policy accept; reject with icmpx admin-prohibited; }; }',
  });
  try {
    expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('');
    await hosts.networks.create({ Name: 'shop' });
    expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('web to 192.0.2.2');
    // What iptables shows of it can be read.
    expect(execFileSync('iptables', ['-S', 'FORWARD'], { encoding: 'utf8' })).toContain(
      '-A FORWARD -i mini-+ -m comment --comment mini-docker -j ACCEPT',
    );
  } finally {
    execFileSync('nft', ['delete', 'table', 'inet', 'firewalld']);
    execFileSync('iptables', ['-P', 'FORWARD', 'ACCEPT']);
  }
});

test('without nft the daemon passes on what comes to published ports, and says what is missing', async () => {
  await hosts.networks.close();
  hosts.reopen({ nft: '/nonexistent/nft' });
  await using web = await container();
  await using neighbour = await container();
  await using server = await serve(web, { port: 80, name: 'web' });
  await using dns = await serve(web, { port: 53, protocol: 'udp', name: 'dns' });
  void [server, dns];
  await publish(web, { '80/tcp': [{ HostPort: '8080' }], '53/udp': [{ HostPort: '5353' }] });
  expect(await ask(hosts.beyond, '192.0.2.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask(hosts.beyond, '192.0.2.1', 5353, 'udp')).toBe('dns to 172.17.0.1');
  expect(await ask('host', '127.0.0.1', 8080)).toBe('web to 172.17.0.1');
  expect(await ask('host', '::1', 5353, 'udp')).toBe('dns to 172.17.0.1');
  expect(await ask(neighbour, '172.17.0.1', 8080)).toBe('web to 172.17.0.1');
  await hosts.networks.close();
  hosts.reopen({ nft: '/nonexistent/nft' });
  await hosts.networks.adopt([web, neighbour].map(({ id, pid }) => ({ containerId: id, pid })));
  expect(await ask(hosts.beyond, '192.0.2.1', 5353, 'udp')).toBe('dns to 172.17.0.1');
  await expect(publish(web, { '9/sctp': [{ HostPort: '9' }] })).rejects.toThrow('needs nft');
  expect(hosts.networks.warnings()).toEqual([expect.stringContaining('Install nftables')]);
  expect((await hosts.networks.create({ Name: 'shop' })).Warning).toContain('nft is not installed');
});
