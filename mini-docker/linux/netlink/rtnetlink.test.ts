// Links, addresses and routes, made by us and looked at by iproute2.
import { afterEach, beforeAll, expect, test } from 'vitest';
import { hold } from '../../../test/support/held-process.ts';
import { enterOwnNetwork, ip } from '../../../test/support/own-network.ts';
import { inNetworkNamespace, openNetworkNamespace } from '../network-namespace.ts';
import { addAddress, decodeAddress, listAddresses } from './addresses.ts';
import {
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  LOOPBACK_INDEX,
  listLinks,
  setBridgePort,
  setLink,
} from './links.ts';
import { NetlinkError } from './netlink-error.ts';
import { addRoute, decodeRoute, listRoutes } from './routes.ts';
import { type NetlinkSocket, openNetlink } from './socket.ts';

let host: NetlinkSocket;

beforeAll(() => {
  enterOwnNetwork();
  host = openNetlink();
  return () => host.close();
});

afterEach(() => {
  for (const link of host.dump(listLinks(), decodeLink))
    if (link.index !== LOOPBACK_INDEX) host.request(deleteLink(link.index), { mayFail: ['ENODEV'] });
});

const indexOf = (name: string): number => host.get(getLink(name), decodeLink)!.index;

test('a bridge is made with its name, address, size and state at once', () => {
  host.request(
    createLink({
      name: 'br-a',
      kind: 'bridge',
      mac: '02:42:01:02:03:04',
      mtu: 1400,
      up: true,
    }),
  );
  host.request(setLink('br-a', { alias: 'of a test' }));
  expect(ip('link show dev br-a')).toMatchObject([
    { address: '02:42:01:02:03:04', mtu: 1400, ifalias: 'of a test', linkinfo: { info_kind: 'bridge' } },
  ]);
  expect(ip('link show dev br-a')[0].flags).toContain('UP');
});

test('one message makes a veth whose end is a port of the bridge and whose peer lives elsewhere', async () => {
  await using container = await hold({ wrapper: ['unshare', '--net'] });
  host.request(createLink({ name: 'br-a', kind: 'bridge', up: true }));
  host.request(
    createLink({
      name: 'veth-a',
      kind: 'veth',
      master: indexOf('br-a'),
      up: true,
      peer: {
        name: 'eth0',
        namespace: { pid: container.pid },
        mac: '02:42:ac:11:00:02',
        mtu: 1300,
      },
    }),
  );
  expect(ip('link show dev veth-a')).toMatchObject([{ master: 'br-a', linkinfo: { info_kind: 'veth' } }]);
  expect(ip('link show dev eth0', container.pid)).toMatchObject([
    { ifname: 'eth0', address: '02:42:ac:11:00:02', mtu: 1300 },
  ]);
});

test('a socket opened in a namespace works there, wherever the thread is', async () => {
  await using container = await hold({ wrapper: ['unshare', '--net'] });
  const fd = openNetworkNamespace({ pid: container.pid });
  using inside = inNetworkNamespace(fd, () => openNetlink());
  host.request(
    createLink({ name: 'veth-a', kind: 'veth', up: true, peer: { name: 'eth0', namespace: { fd } } }),
  );
  const eth0 = inside.get(getLink('eth0'), decodeLink)!.index;
  inside.batch([
    setLink(LOOPBACK_INDEX, { up: true }),
    setLink(eth0, { up: true, linkLocal: false }),
    addAddress({ link: eth0, address: '10.9.0.2', prefixLength: 16, broadcast: '10.9.255.255' }),
    addAddress({ link: eth0, address: 'fd00:9::2', prefixLength: 64 }),
    addRoute({ destination: 'default', gateway: '10.9.0.1' }),
    addRoute({ destination: 'default6', gateway: 'fd00:9::1' }),
  ]);
  expect(ip('-4 addr show dev eth0', container.pid)[0].addr_info).toMatchObject([
    { local: '10.9.0.2', prefixlen: 16, broadcast: '10.9.255.255', scope: 'global' },
  ]);
  expect(ip('-6 addr show dev eth0', container.pid)[0].addr_info).toMatchObject([
    { local: 'fd00:9::2', prefixlen: 64 },
  ]);
  expect(ip('-4 route show default', container.pid)).toMatchObject([{ gateway: '10.9.0.1', dev: 'eth0' }]);
  expect(ip('-6 route show default', container.pid)).toMatchObject([{ gateway: 'fd00:9::1', dev: 'eth0' }]);
  expect(ip('link show dev lo', container.pid)[0].flags).toContain('UP');
  expect(ip('link show').map(link => link.ifname)).not.toContain('eth0');
});

test('a link is renamed, moved to another namespace, and taken away again', async () => {
  await using container = await hold({ wrapper: ['unshare', '--net'] });
  host.request(createLink({ name: 'link-a', kind: 'veth', peer: { name: 'link-p' } }));
  host.request(setLink(indexOf('link-a'), { name: 'link-b', mac: '02:00:00:00:00:09', mtu: 900 }));
  expect(ip('link show dev link-b')).toMatchObject([{ mtu: 900, address: '02:00:00:00:00:09' }]);
  host.request(setLink('link-b', { namespace: { pid: container.pid } }));
  expect(host.get(getLink('link-b'), decodeLink, { mayFail: ['ENODEV'] })).toBeUndefined();
  expect(ip('link show dev link-b', container.pid)).toMatchObject([{ mtu: 900 }]);
});

test('a port of a bridge turns packets back where it is told to', () => {
  host.request(createLink({ name: 'br-a', kind: 'bridge' }));
  host.request(
    createLink({ name: 'link-a', kind: 'veth', peer: { name: 'link-p' }, master: indexOf('br-a') }),
  );
  host.request(setBridgePort(indexOf('link-a'), { hairpin: true, isolated: true }));
  const [{ linkinfo }] = ip('link show dev link-a');
  expect(linkinfo.info_slave_data).toMatchObject({ hairpin: true, isolated: true });
  host.request(setLink('link-a', { master: 0 }));
  expect(ip('link show dev link-a')[0].master).toBeUndefined();
});

test('what we list is what iproute2 lists', () => {
  host.request(createLink({ name: 'link-a', kind: 'bridge', up: true }));
  const link = indexOf('link-a');
  host.batch([
    addAddress({ link, address: '10.8.0.1', prefixLength: 24 }),
    addRoute({ destination: { address: '10.7.0.0', prefixLength: 16 }, gateway: '10.8.0.9', metric: 7 }),
  ]);
  const links = host.dump(listLinks(), decodeLink);
  expect(links.map(each => [each.index, each.name, each.mtu, each.mac])).toEqual(
    ip('link show').map(each => [each.ifindex, each.ifname, each.mtu, each.address]),
  );
  expect(host.dump(listAddresses(), decodeAddress)).toContainEqual(
    expect.objectContaining({ link, address: '10.8.0.1', prefixLength: 24 }),
  );
  expect(host.dump(listRoutes(), decodeRoute)).toContainEqual(
    expect.objectContaining({
      destination: { address: '10.7.0.0', prefixLength: 16 },
      gateway: '10.8.0.9',
      link,
      metric: 7,
      table: 254,
    }),
  );
});

test("a refused request names itself, the errno, and the kernel's own words", () => {
  host.request(createLink({ name: 'link-a', kind: 'bridge' }));
  const again = (): void => host.request(createLink({ name: 'link-a', kind: 'bridge' }));
  expect(again).toThrow(NetlinkError);
  expect(again).toThrow('create link link-a (bridge): EEXIST');
  // The gateway cannot be reached: the kernel says more than ENETUNREACH here.
  const unreachable = (): void => host.request(addRoute({ destination: 'default', gateway: '10.66.0.1' }));
  expect(unreachable).toThrow(
    /^add the route to default by 10\.66\.0\.1: ENETUNREACH .*the kernel says "Nexthop has invalid gateway"\)$/,
  );
});

test('of several requests the ones beside a refused one are done, and the refusal is told', () => {
  expect(() =>
    host.batch([
      createLink({ name: 'link-a', kind: 'bridge' }),
      deleteLink('link-none'),
      createLink({ name: 'link-c', kind: 'bridge' }),
    ]),
  ).toThrow('delete link link-none: ENODEV');
  expect(ip('link show').map(link => link.ifname)).toEqual(['lo', 'link-a', 'link-c']);
  host.batch([deleteLink('link-a'), deleteLink('link-a')], { mayFail: ['ENODEV'] });
});

test("requests on a pool thread and at once do not take each other's answers", async () => {
  const many = Array.from({ length: 20 }, (_, index) =>
    createLink({ name: `link-${index}`, kind: 'bridge' }),
  );
  const refused = expect(host.batchAsync([...many, deleteLink('link-none')])).rejects.toThrow(
    'link-none: ENODEV',
  );
  for (let round = 0; round < 50; round++) {
    expect(host.get(getLink('lo'), decodeLink)?.index).toBe(LOOPBACK_INDEX);
    host.request(setLink('lo', { up: true }));
    await new Promise(setImmediate);
  }
  await refused;
  await host.batchAsync(many.map((_, index) => deleteLink(`link-${index}`)));
  expect(ip('link show').map(link => link.ifname)).toEqual(['lo']);
});

test('statistics count what a link carried', () => {
  const before = host.get(getLink('lo'), decodeLink)!.statistics;
  ip('-4 route get 127.0.0.1');
  expect(before.rxBytes).toBe(before.txBytes);
  expect(host.get(getLink('lo'), decodeLink)!.mtu).toBe(65536);
});
