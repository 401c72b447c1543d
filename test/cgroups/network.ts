// Networks under version 2 of control groups, and under another kernel, whose nftables are modules: run by v2.long.test.ts.
import { expect, test } from 'vitest';
import { eventually } from '../support/engine-client.ts';
import { ask } from '../support/network-hosts.ts';
import {
  address,
  beyond,
  call,
  host,
  inside,
  network,
  SLEEP,
  server,
  start,
  useNetworkScene,
} from '../support/network-scene.ts';
import { ip } from '../support/own-network.ts';

useNetworkScene();

test('a container on the default bridge is reached at its published port, by IPv4', async () => {
  const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '8089' }] } };
  await start('web', server('web'), 'bridge', { HostConfig });
  await start('other', SLEEP);
  expect(ip('addr show eth0', (await inside('web')).pid)).toMatchObject([
    { addr_info: [{ local: await address('web') }] },
  ]);
  await eventually(
    () => call('other', '172.17.0.1', 8089),
    answer => answer === 'web\n',
  );
  expect(await call('other', await address('web'))).toBe('web\n');
  expect(await ask(host, '127.0.0.1', 8089)).toBe('web');
  expect(await ask({ pid: beyond.pid }, '192.0.2.1', 8089)).toBe('web');
});

test('containers of one network have names and IPv6, and another network does not reach them', async () => {
  await network('front', { EnableIPv6: true });
  await network('back');
  await start('web', server('web'), 'front');
  await start('friend', SLEEP, 'front');
  await start('stranger', SLEEP, 'back');
  expect(await call('friend', 'web')).toBe('web\n');
  expect(await call('stranger', await address('web', 'front'))).toBe('');
});
