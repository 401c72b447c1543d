// netem, which a kernel may lack: test/network-conditions.long.test.ts runs this file under one that has it.
import { execFileSync } from 'node:child_process';
import { beforeEach, expect, test } from 'vitest';
import { hasNetem, reaches, run, useNetworkHosts } from '../../test/support/network-hosts.ts';

const hosts = useNetworkHosts();
const NETEM = hasNetem();
/** The second kernel comes with few modules, and no condition needs NAT. */
const WITHOUT_NAT = { nft: 'nft-is-not-needed' };
beforeEach(async () => {
  await hosts.networks.close();
  hosts.reopen(WITHOUT_NAT);
});

const roundTrip = (from: { pid: number }, address: string): number =>
  Number(/time=([\d.]+) ms/.exec(run(from, 'ping', '-c', '1', '-W', '5', address))?.[1]);

test.skipIf(!NETEM)('a delay is added once to a packet and its answer', async () => {
  await using one = await hosts.container();
  await using two = await hosts.container();
  await hosts.networks.setCondition({
    target: { containerId: two.id, name: two.name },
    condition: { delay: '300ms' },
  });
  run(one, 'ping', '-c', '1', two.endpoint.ipAddress);
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const time = roundTrip(from, to.endpoint.ipAddress);
    expect(time).toBeGreaterThanOrEqual(300);
    expect(time).toBeLessThan(580);
  }
  await hosts.networks.clearConditions();
  expect(roundTrip(one, two.endpoint.ipAddress)).toBeLessThan(300);
});

test.skipIf(!NETEM)('--to: the packets of one neighbour are lost, and those of others are not', async () => {
  await using one = await hosts.container();
  await using two = await hosts.container();
  await using three = await hosts.container();
  await hosts.networks.setCondition({
    target: { containerId: one.id, name: one.name },
    to: { containerId: two.id, name: two.name },
    condition: { loss: '100%' },
  });
  expect(reaches(one, two.endpoint.ipAddress)).toBe(false);
  expect(reaches(one, three.endpoint.ipAddress)).toBe(true);
  expect(reaches(two, three.endpoint.ipAddress)).toBe(true);
});

test.skipIf(!NETEM)('the kernel has every value, and says so to the next daemon', async () => {
  await using one = await hosts.container();
  const condition = {
    delay: '100ms',
    jitter: '10ms',
    loss: '1%',
    duplicate: '2%',
    corrupt: '0.5%',
    reorder: '25%',
    rate: '1mbit',
  };
  await hosts.networks.setCondition({ target: { network: 'bridge' }, condition });
  const tc = execFileSync('tc', ['qdisc'], { encoding: 'utf8' });
  expect(tc).toMatch(/netem .*delay 100ms {2}10ms loss 1% duplicate 2% reorder 25% corrupt 0\.5% rate 1Mbit/);
  await hosts.networks.close();
  hosts.reopen(WITHOUT_NAT);
  await hosts.networks.adopt([{ containerId: one.id, pid: one.pid }]);
  expect(await hosts.networks.showConditions()).toEqual([
    { container: one.name, network: 'bridge', interface: 'eth0', to: [], ...condition },
  ]);
});
