// The driver macvlan: containers as machines on the network behind a link of the host.
import { expect, test } from 'vitest';
import type { NetworkMap } from '../mini-docker/formats/network-map.ts';
import { reaches } from './support/network-hosts.ts';
import {
  address,
  beyond,
  call,
  daemon,
  endpoint,
  engine,
  exec,
  host,
  inside,
  inspect,
  message,
  network,
  SLEEP,
  server,
  start,
  useNetworkScene,
} from './support/network-scene.ts';
import { ip } from './support/own-network.ts';

useNetworkScene();

/** The network of up0, with the other host as its router. */
const LAN = { Subnet: '192.0.2.0/24', Gateway: '192.0.2.2', IPRange: '192.0.2.128/28' };
const lan = (Name: string, Options: object = {}) =>
  network(Name, { Driver: 'macvlan', Options: { parent: 'up0', ...Options }, IPAM: { Config: [LAN] } });
const create = (more: object) =>
  engine.ask('POST', '/networks/create', { Name: 'refused', Driver: 'macvlan', ...more });

test('containers are machines of the parent network: for its hosts and each other, not for their own host', async () => {
  await lan('lan');
  await start('one', server('one'), 'lan');
  await start('two', SLEEP, 'lan', { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8087' }] } } });
  const { IPAddress, MacAddress } = await endpoint('one', 'lan');
  expect(IPAddress).toMatch(/^192\.0\.2\.1(2[89]|3\d|4[0-3])$/);
  expect(ip('-d link show eth0', (await inside('one')).pid)).toMatchObject([
    { address: MacAddress, linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } } },
  ]);
  expect(ip('route show default', (await inside('one')).pid)).toMatchObject([{ gateway: '192.0.2.2' }]);
  expect(await call('two', 'one')).toBe('one\n');
  expect(reaches({ pid: beyond.pid }, IPAddress!)).toBe(true);
  expect(ip(`neigh show ${IPAddress}`, beyond.pid)).toMatchObject([{ lladdr: MacAddress }]);
  expect(reaches(host, IPAddress!)).toBe(false);
  const { parents } = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
  expect(parents).toMatchObject([{ network: 'lan', link: 'up0', up: true, mode: 'bridge' }]);
  expect(parents[0]!.ends.map(each => [each.container, each.interface]).sort()).toEqual([
    ['one', 'eth0'],
    ['two', 'eth0'],
  ]);
  expect(parents[0]!.ends.find(each => each.container === 'one')!.mac).toBe(MacAddress);
  // As in docker, its ports are on its own address and on none of the host's.
  expect((await inspect('two')).NetworkSettings.Ports).toEqual({});
});

test('private: containers reach the network and not each other', async () => {
  await lan('lan', { macvlan_mode: 'private' });
  await start('one', SLEEP, 'lan');
  await start('two', SLEEP, 'lan');
  const apart = { groups: [['one'], ['two']] };
  expect(message(await engine.ask('POST', '/mini-docker/network-partition', apart))).toMatch(
    /^403 container one cannot be in a partition: .* macvlan/,
  );
  expect(reaches(await inside('one'), '192.0.2.2')).toBe(true);
  expect(reaches(await inside('one'), await address('two', 'lan'))).toBe(false);
});

test('without a parent there is no way out, and the link that stands for it goes with the network', async () => {
  const { Id } = await network('alone', { Driver: 'macvlan' });
  await start('one', SLEEP, 'alone');
  await start('two', SLEEP, 'alone');
  expect(reaches(await inside('one'), await address('two', 'alone'))).toBe(true);
  expect(ip('route show default', (await inside('one')).pid)).toEqual([]);
  const names = () => ip('link show', host.pid).map(link => link.ifname);
  expect(names()).toContain(`dm-${Id.slice(0, 12)}`);
  for (const name of ['one', 'two']) await engine.ask('DELETE', `/containers/${name}?force=1`);
  await engine.ask('DELETE', '/networks/alone');
  expect(names()).not.toContain(`dm-${Id.slice(0, 12)}`);
});

test('network connect and disconnect work on a running container, also after the daemon was killed', async () => {
  await lan('lan');
  await start('one', SLEEP);
  await engine.json('POST', '/networks/lan/connect', { Container: 'one' });
  expect(await exec('one', 'ping', '-c1', '-W1', await address('one', 'lan'))).toContain(
    '1 packets received',
  );
  await daemon.end('SIGKILL');
  await daemon.begin();
  expect(reaches({ pid: beyond.pid }, await address('one', 'lan'))).toBe(true);
  await engine.json('POST', '/networks/lan/disconnect', { Container: 'one' });
  expect(ip('link show', (await inside('one')).pid).map(link => link.ifname)).toEqual(['lo', 'eth0']);
  await engine.json('POST', '/networks/lan/connect', { Container: 'one' });
  await engine.ask('POST', '/containers/one/restart?t=0');
  expect(reaches({ pid: beyond.pid }, await address('one', 'lan'))).toBe(true);
});

test('what docker refuses is refused, and nothing is left', async () => {
  await lan('lan');
  const cases: [object, string][] = [
    [{ parent: 'up0' }, '403 network lan is already using parent interface up0'],
    [
      { parent: 'x', macvlan_mode: 'foo' },
      "400 requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default",
    ],
    [{ parent: 'lo' }, '400 loopback interface is not a valid macvlan parent link'],
    [{ parent: 'up0.5000' }, '400 vlan id must be between 1-4094, received: 5000'],
    [{ parent: 'nix.5' }, '400 the parent interface was not found on the host: nix'],
  ];
  for (const [Options, words] of cases) expect(message(await create({ Options }))).toBe(words);
  expect(message(await create({ Options: { parent: 'nix' } }))).toMatch(
    /^400 invalid subinterface vlan name nix, example formatting is eth0\.10/,
  );
  expect(message(await create({ Driver: 'overlay' }))).toMatch(
    /^503 .* need a cluster store: set "cluster-store"/,
  );
  const left = await engine.json<{ Name: string }[]>('GET', '/networks?filters={"type":["custom"]}');
  expect(left.map(each => each.Name)).toEqual(['lan']);
});
