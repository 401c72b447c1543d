// The driver overlay over IPv6, and what its hosts do when the cluster store is in trouble: a member of etcd that is down or
// hangs, a store without space, a certificate that has expired.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ContainerInspect } from '../mini-docker/formats/engine-api/containers.ts';
import { eventually } from './support/engine-client.ts';
import { hasProgram } from './support/foreign-clients.ts';
import { reaches } from './support/network-hosts.ts';
import { inNetwork, type OverlayHost, Switch } from './support/overlay-hosts.ts';
import { ip } from './support/own-network.ts';

const OPTIONS = ['discovery.ttl=15'];
const PATIENCE = 60_000;

const create = (host: OverlayHost, Name: string) =>
  host.engine.ask('POST', '/networks/create', { Name, Driver: 'overlay' });
const knows = async ({ engine }: OverlayHost, name: string): Promise<boolean> =>
  (await engine.json<{ Name: string }[]>('GET', '/networks')).some(({ Name }) => Name === name);
/** Resolves when the network is made, and the other host has heard of it. */
async function made(host: OverlayHost, name: string, other: OverlayHost): Promise<void> {
  await eventually(
    () => create(host, name),
    ({ status }) => status === 201 || status === 409,
    PATIENCE,
  );
  await eventually(() => knows(other, name), Boolean, PATIENCE);
}
const start = ({ engine }: OverlayHost, name: string, network: string) =>
  engine.run(['sleep', '1000'], { name, HostConfig: { NetworkMode: network } });
const inspect = ({ engine }: OverlayHost, name: string) =>
  engine.json<ContainerInspect>('GET', `/containers/${name}/json`);
const pid = async (host: OverlayHost, name: string) => ({ pid: (await inspect(host, name)).State.Pid });

/** A container on each host, of which the first reaches the second. @returns the first's process, and the second's address */
async function joined(a: OverlayHost, b: OverlayHost): Promise<{ from: { pid: number }; to: string }> {
  await made(a, 'front', b);
  await start(a, 'one', 'front');
  await start(b, 'two', 'front');
  const to = (await inspect(b, 'two')).NetworkSettings.Networks.front!.IPAddress!;
  const from = await pid(a, 'one');
  await eventually(async () => reaches(from, to), Boolean, PATIENCE);
  return { from, to };
}

describe.skipIf(!hasProgram('etcd'))('overlay', () => {
  test('hosts with IPv6 addresses have a tunnel between them, and two of three members of etcd are enough', async () => {
    const members = ['fd78::11', 'fd78::12', 'fd78::13'];
    await using hub = await Switch.make(members.map(each => `${each}/64`));
    const all = members.map((host, index) => `m${index}=http://[${host}]:2380`).join(',');
    const etcd = members.map((host, index) =>
      hub.member(`m${index}`, `[${host}]`, ['--initial-cluster', all]),
    );
    for (const each of etcd) each.begin();
    for (const each of etcd) await hub.ready(each);
    // The two hosts prefer different members.
    const store = (order: number[]) => `etcd://${order.map(index => etcd[index]!.client).join(',')}`;
    const common = { prefix: 64, options: OPTIONS };
    const a = await hub.host('a', { ...common, address: 'fd78::1', store: store([0, 1, 2]) });
    const b = await hub.host('b', {
      ...common,
      address: 'fd78::2',
      advertise: '[fd78::2]:2376',
      store: store([2, 1, 0]),
    });
    const { from, to } = await joined(a, b);
    expect(ip('link show eth0', from.pid)).toMatchObject([{ mtu: 1430 }]);
    const entries = inNetwork(a.daemon.namespaces, 'bridge fdb show').split('\n');
    expect(entries.filter(each => each.includes(' dst '))).toMatchObject([
      expect.stringMatching(/dst fd78::2 self permanent/),
    ]);

    // One member ends, then one hangs: each host turns to another member, and still hears of the other host.
    await etcd[0]!.end();
    await made(b, 'second', a);
    await made(a, 'third', b);
    etcd[0]!.begin();
    await hub.ready(etcd[0]!);
    etcd[2]!.signal('SIGSTOP');
    await made(a, 'fourth', b);
    await made(b, 'fifth', a);
    expect(reaches(from, to)).toBe(true);
    etcd[2]!.signal('SIGCONT');
    // Without a majority nothing can be changed.
    await hub.ready(etcd[2]!);
    await etcd[1]!.end();
    await etcd[2]!.end();
    expect(reaches(from, to)).toBe(true);
    const { status, body } = await create(a, 'sixth');
    expect({ status, body: String(body) }).toMatchObject({
      status: 503,
      body: expect.stringContaining('running containers go on'),
    });
  }, 300_000);

  test('a store without space, and one with an expired certificate, are said; containers go on', async () => {
    await using hub = await Switch.make(['10.78.0.100/24']);
    const etcd = hub.member('m', '10.78.0.100', ['--quota-backend-bytes', String(16 << 20)]);
    etcd.begin();
    await hub.ready(etcd);
    const common = { prefix: 24, options: OPTIONS, store: `etcd://${etcd.client}` };
    const a = await hub.host('a', { ...common, address: '10.78.0.1' });
    const b = await hub.host('b', { ...common, address: '10.78.0.2' });
    const { from, to } = await joined(a, b);
    const value = Buffer.alloc(90_000).toString('base64');
    const key = (index: number) => Buffer.from(`fill${index}`).toString('base64');
    for (let index = 0; ; index++) {
      const answer = await hub.ask(etcd, 'kv/put', { key: key(index), value });
      if (answer.includes('space exceeded')) break;
    }
    const refused = await create(a, 'second');
    expect(refused.status).toBe(503);
    expect(String(refused.body)).toContain('database space exceeded');
    await expect(start(a, 'three', 'front')).rejects.toThrow(/503 .*database space exceeded/);
    expect(reaches(from, to)).toBe(true);
    // Deleting needs no space: a removed container gives its address back.
    await b.engine.json('DELETE', '/containers/two?force=1');
    await eventually(
      async () => reaches(from, to),
      found => !found,
      PATIENCE,
    );
  }, 180_000);

  test('a certificate that has expired is named as that', async () => {
    await using hub = await Switch.make(['10.79.0.100/24']);
    const openssl = (line: string) =>
      execFileSync('openssl', line.split(' '), { cwd: hub.directory, stdio: 'pipe' });
    openssl('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 2');
    writeFileSync(join(hub.directory, 'san'), 'subjectAltName=IP:10.79.0.100\n');
    writeFileSync(join(hub.directory, 'index.txt'), '');
    writeFileSync(join(hub.directory, 'serial'), '01\n');
    const settings = [
      '[ca]',
      'default_ca=own',
      '[own]',
      'database=index.txt',
      'serial=serial',
      'new_certs_dir=.',
    ];
    writeFileSync(
      join(hub.directory, 'ca.conf'),
      [...settings, 'default_md=sha256', 'policy=any', '[any]', 'organizationName=optional', ''].join('\n'),
    );
    openssl('req -newkey rsa:2048 -nodes -keyout store.key -out store.csr -subj /O=store');
    openssl(
      'ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in store.csr -out store.pem -extfile san -startdate 20200101000000Z -enddate 20210101000000Z',
    );
    const [cert, key] = ['store.pem', 'store.key'].map(name => join(hub.directory, name)) as [string, string];
    const url = 'https://10.79.0.100:2377';
    const etcd = hub.member('m', '10.79.0.100', [
      ...['--cert-file', cert, '--key-file', key],
      ...['--listen-client-urls', `${url},http://10.79.0.100:2379`],
    ]);
    etcd.begin();
    await hub.ready(etcd);
    const host = await hub.host('a', {
      prefix: 24,
      address: '10.79.0.1',
      store: 'etcd://10.79.0.100:2377',
      options: [...OPTIONS, `kv.cacertfile=${join(hub.directory, 'ca.pem')}`],
    });
    const { status, body } = await eventually(
      () => create(host, 'front'),
      answer => !/HOSTUNREACH|NETUNREACH/.test(String(answer.body)),
      PATIENCE,
    );
    expect(status).toBe(503);
    expect(String(body)).toContain('certificate has expired');
    rmSync(join(hub.directory, 'ca.key'));
  }, 120_000);
});
