// Bad networks on purpose: what counts is what packets do, and what tc(8) shows. The kernel's netem is tested in
// network-conditions.long.test.ts, since a kernel may lack it.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { ShownCondition } from '../mini-docker/formats/network-conditions.ts';
import { commandLines } from './support/command-lines.ts';
import { reaches } from './support/network-hosts.ts';
import {
  address,
  call,
  daemon,
  endpoint,
  engine,
  exec,
  host,
  inside,
  message,
  network,
  SLEEP,
  server,
  start,
  useNetworkScene,
} from './support/network-scene.ts';

useNetworkScene();

const CONDITIONS = '/mini-docker/network-conditions';
const set = (target: string, more: object) => engine.ask('POST', CONDITIONS, { target, ...more });
const shown = () => engine.json<ShownCondition[]>('GET', CONDITIONS);
const partition = (...groups: string[][]) => engine.ask('POST', '/mini-docker/network-partition', { groups });

/** Seconds in which one container reads 200 kB from another; `unlimited` waits out what else the machine does. */
async function transfer(from: string, to: string): Promise<number> {
  const start = performance.now();
  expect(await exec(to, 'sh', '-c', `nc ${await address(from)} 80 </dev/null | wc -c`)).toBe('204800\n');
  return (performance.now() - start) / 1000;
}
const unlimited = (from: string, to: string) =>
  expect.poll(() => transfer(from, to), { timeout: 60_000 }).toBeLessThan(0.8);
const SENDER = ['tcpsvd', '-E', '0', '80', 'dd', 'if=/dev/zero', 'bs=1k', 'count=200', 'status=none'];

test('a rate holds in both directions, until it is cleared', async () => {
  await start('one', SENDER);
  await start('two', SENDER);
  await unlimited('one', 'two');
  expect((await set('two', { rate: '1600kbit' })).status).toBe(204);
  // 200 kB, of which the burst and its like pass at once.
  expect(await transfer('one', 'two')).toBeGreaterThan(0.8);
  expect(await transfer('two', 'one')).toBeGreaterThan(0.8);
  expect(await shown()).toEqual([
    { container: 'two', network: 'bridge', interface: 'eth0', to: [], rate: '1.6mbit' },
  ]);
  expect((await engine.ask('DELETE', `${CONDITIONS}?target=two`)).status).toBe(204);
  await unlimited('one', 'two');
  expect(await shown()).toEqual([]);
});

test('--to: only the packets of one neighbour wait, and each neighbour has its own condition', async () => {
  for (const name of ['one', 'two', 'three']) await start(name, SENDER);
  await set('one', { rate: '1600kbit', to: 'two' });
  expect(await transfer('one', 'two')).toBeGreaterThan(0.8);
  expect(await transfer('two', 'one')).toBeGreaterThan(0.8);
  await unlimited('one', 'three');
  await set('one', { rate: '8mbit', to: '192.0.2.2' });
  await set('one', { rate: '10gbit' });
  await set('one', { rate: '1mbit', to: 'two' });
  const rows = (await shown()).map(({ to, rate }) => ({ to, rate }));
  expect(rows).toHaveLength(3);
  expect(rows).toEqual(
    expect.arrayContaining([
      { to: ['192.0.2.2'], rate: '8mbit' },
      { to: [], rate: '10gbit' },
      { to: [`two (${await address('two')})`], rate: '1mbit' },
    ]),
  );
  const tc = execFileSync('nsenter', ['-t', String((await inside('one')).pid), '-n', 'tc', 'qdisc']);
  expect(String(tc)).toContain('rate 8Mbit');
});

test('a condition of a network is for every container on it, and none is left after a restart', async () => {
  await network('front');
  for (const name of ['one', 'two']) await start(name, SLEEP, 'front');
  await start('other', SLEEP);
  await set('front', { rate: '1mbit' });
  expect((await shown()).map(each => each.container).sort()).toEqual(['one', 'two']);
  await engine.ask('POST', '/containers/one/restart?t=0');
  expect((await shown()).map(each => each.container)).toEqual(['two']);
});

test('what cannot be a condition is refused, and the former one stays', async () => {
  await start('one', SLEEP);
  await set('one', { rate: '1mbit' });
  const cases: [object, string][] = [
    [{}, 'a condition needs one of delay, jitter, loss, duplicate, corrupt, reorder, rate'],
    [{ delay: '100' }, 'time: missing unit in duration "100"'],
    [{ loss: '101%' }, `invalid loss "101%": it must be a part of all packets, such as '1%'`],
    [{ rate: '1' }, `invalid rate "1": it must be from 8kbit to 100gbit, such as '1mbit'`],
    [{ jitter: '1ms' }, 'jitter needs a delay: it is by how much the delay varies'],
    [{ rate: '1mbit', to: 'nobody' }, 'nobody is neither a container of this host nor an address'],
  ];
  for (const [body, words] of cases) expect(message(await set('one', body))).toBe(`400 ${words}`);
  expect(message(await set('nothing', { rate: '1mbit' }))).toBe('404 No such container or network: nothing');
  const answer = await set('one', { delay: '100ms' });
  // This kernel may have netem.
  if (answer.status !== 204) {
    expect(message(answer)).toMatch(/^501 this kernel has no sch_netem, .*modprobe sch_netem/);
    expect((await shown())[0]).toMatchObject({ rate: '1mbit' });
  }
  await engine.ask('POST', '/containers/one/stop?t=0');
  expect(message(await set('one', { rate: '1mbit' }))).toMatch(
    // Its network is taken apart after the stop has been answered.
    /^409 (container one has no cable|the container's process \d+ has ended)/,
  );
});

test('a partition keeps groups apart, also through a published port and after a restart, until it is healed', async () => {
  await network('front');
  const publish = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8088' }] } } };
  await start('na', server('na'), 'front');
  await start('nb', server('nb'), 'front');
  await start('nc', server('nc'), 'front', publish);
  await start('nd', server('nd'), 'front');
  const gateway = (await endpoint('na', 'front')).Gateway!;
  expect(await call('na', gateway, 8088)).toBe('nc\n');
  expect((await partition(['na', 'nb'], ['nc'])).status).toBe(204);
  const from = await inside('na');
  expect(reaches(from, await address('nb', 'front'))).toBe(true);
  expect(reaches(from, await address('nc', 'front'))).toBe(false);
  expect(reaches(await inside('nc'), await address('nb', 'front'))).toBe(false);
  expect(reaches(await inside('nd'), await address('nc', 'front'))).toBe(true);
  expect(await call('na', gateway, 8088)).toBe('');
  expect(reaches(host, await address('nc', 'front'))).toBe(true);
  await engine.ask('POST', '/containers/nc/restart?t=0');
  expect(reaches(from, await address('nc', 'front'))).toBe(false);
  expect(await engine.json('GET', '/mini-docker/network-partition')).toEqual({
    groups: [['na', 'nb'], ['nc']],
  });
  expect((await partition()).status).toBe(204);
  expect(reaches(from, await address('nc', 'front'))).toBe(true);
  expect(await call('na', gateway, 8088)).toBe('nc\n');
  expect(message(await partition(['na']))).toMatch(/^400 a partition needs at least two groups/);
  expect(message(await partition(['na'], ['na']))).toBe('400 container na is in the partition twice');
  expect(message(await partition(['na'], ['nobody']))).toMatch(/^404 /);
});

test('a partition has more than two groups, and a network stands for its containers', {
  tags: 'further',
}, async () => {
  await network('front');
  await network('back');
  for (const name of ['one', 'two']) await start(name, SLEEP, 'front');
  for (const name of ['three', 'four']) await start(name, SLEEP, 'back');
  await engine.json('POST', '/networks/front/connect', { Container: 'three' });
  await engine.json('POST', '/networks/back/disconnect', { Container: 'three' });
  const apart = async (from: string, to: string) => !reaches(await inside(from), await address(to, 'front'));
  expect((await partition(['one'], ['two'], ['three'])).status).toBe(204);
  expect([await apart('one', 'two'), await apart('two', 'three'), await apart('three', 'one')]).toEqual([
    true,
    true,
    true,
  ]);
  await engine.json('POST', '/networks/front/connect', { Container: 'four' });
  expect((await partition(['back'], ['one', 'two'])).status).toBe(204);
  expect(await apart('one', 'two')).toBe(false);
  expect(await apart('four', 'one')).toBe(true);
  expect(await apart('three', 'one')).toBe(false);
  expect(message(await partition(['front'], ['back']))).toMatch(/is in the partition twice/);
  expect((await partition()).status).toBe(204);
});

test('conditions and partitions outlive the daemon', async () => {
  await start('one', SLEEP);
  await start('two', SLEEP);
  await set('one', { rate: '1mbit' });
  await partition(['one'], ['two']);
  await daemon.end('SIGKILL');
  await daemon.begin();
  expect(await shown()).toMatchObject([{ container: 'one', rate: '1mbit' }]);
  expect(reaches(await inside('one'), await address('two'))).toBe(false);
  await partition();
  expect(reaches(await inside('one'), await address('two'))).toBe(true);
});

test('the command line sets, lists and clears conditions and partitions', async () => {
  const { does } = commandLines(() => daemon)[0]!;
  await start('one', SLEEP);
  await start('two', SLEEP);
  expect(await does('network condition set --rate 1mbit --to two one')).toBe('');
  const output = await does('network condition show');
  expect(output).toMatch(
    /^CONTAINER +NETWORK +INTERFACE +TO +CONDITION\none +bridge +eth0 +two \(.*\) +rate 1mbit\n$/,
  );
  await does('network condition clear');
  expect(await shown()).toEqual([]);
  await does('network partition one two');
  expect(await does('network partition')).toBe('one\ntwo\n');
  await does('network heal');
  expect(await does('network partition')).toBe('');
});
