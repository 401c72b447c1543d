// Networks over time: shared, restarted, and under a daemon that is killed.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NetworkResource } from '../mini-docker/formats/engine-api/networks.ts';
import type { SystemInfo } from '../mini-docker/formats/engine-api/system.ts';
import { eventually } from './support/engine-client.ts';
import { ask } from './support/network-hosts.ts';
import {
  address,
  beyond,
  call,
  daemon,
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

describe('host, none and container:NAME', () => {
  const netns = async (container: string) => readlinkSync(`/proc/${(await inside(container)).pid}/ns/net`);

  test("host is the daemon's own, none has lo and nothing else", async () => {
    await start('open', SLEEP, 'host', { HostConfig: { ExtraHosts: ['gate:host-gateway'] } });
    expect(await netns('open')).toBe(readlinkSync(`/proc/${host.pid}/ns/net`));
    expect(await exec('open', 'cat', '/etc/resolv.conf')).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
    await start('alone', SLEEP, 'none');
    expect(ip('link show', (await inside('alone')).pid)).toMatchObject([
      { ifname: 'lo', flags: expect.arrayContaining(['UP']) },
    ]);
    await network('front');
    for (const container of ['open', 'alone'])
      expect((await engine.ask('POST', '/networks/front/connect', { Container: container })).status).toBe(
        403,
      );
  });

  test('a container that shares a network keeps it while the owner restarts, stops, and starts again', async () => {
    await network('front');
    await start('owner', SLEEP, 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8084' }] } },
    });
    await start('other', SLEEP, 'front');
    const shared = 'container:owner';
    await start('sharer', server('sharer'), shared);
    await start('second', SLEEP, 'container:sharer');
    expect((await inspect('sharer')).HostConfig.NetworkMode).toBe(`container:${(await inspect('owner')).Id}`);
    const [namespace, had] = [await netns('owner'), await address('owner', 'front')];
    const same = async () => {
      for (const each of ['owner', 'sharer', 'second']) expect(await netns(each)).toBe(namespace);
      expect(await address('owner', 'front')).toBe(had);
      expect(await call('other', 'owner')).toBe('sharer\n');
      expect(await call('second', 'localhost')).toBe('sharer\n');
      expect(await ask(host, '127.0.0.1', 8084)).toBe('sharer');
    };
    await same();
    expect(await exec('sharer', 'cat', '/etc/hosts')).toBe(await exec('owner', 'cat', '/etc/hosts'));
    await engine.json('POST', '/containers/owner/restart?t=0');
    await same();
    await engine.json('POST', '/containers/owner/stop?t=0');
    // The network goes on without its owner, for those who live in it.
    expect(await call('other', had)).toBe('sharer\n');
    expect(await ask(host, '127.0.0.1', 8084)).toBe('sharer');
    await daemon.end('SIGKILL');
    await daemon.begin();
    expect(await call('other', 'owner')).toBe('sharer\n');
    await engine.json('POST', '/containers/owner/start');
    await same();
    // Its files are theirs, too, after it came back.
    await network('more');
    await engine.json('POST', '/networks/more/connect', { Container: 'owner' });
    expect(await exec('second', 'cat', '/etc/hosts')).toContain(await address('owner', 'more'));
    // The last one out gives it back.
    await engine.json('POST', '/containers/owner/stop?t=0');
    for (const each of ['sharer', 'second']) await engine.json('POST', `/containers/${each}/stop?t=0`);
    const taken = async () =>
      Object.values((await engine.json<NetworkResource>('GET', '/networks/front')).Containers);
    await eventually(taken, found => found.length === 1);
    expect(await ask(host, '127.0.0.1', 8084)).toBe('');
    expect(message(await engine.ask('POST', '/containers/sharer/start'))).toBe(
      '409 cannot join network namespace of a non running container: owner',
    );
    // No process has kept the namespace: it gets a new one with the old address.
    await engine.json('POST', '/containers/owner/start');
    expect(await address('owner', 'front')).toBe(had);
  });

  test('an owner that is removed takes its network with it', async () => {
    await start('owner', SLEEP);
    await start('sharer', SLEEP, 'container:owner');
    await engine.json('POST', '/containers/owner/stop?t=0');
    await engine.json('DELETE', '/containers/owner');
    expect((await engine.json<NetworkResource>('GET', '/networks/bridge')).Containers).toEqual({});
    await eventually(
      async () => ip('link show', (await inside('sharer')).pid),
      links => links.length === 1,
    );
    // Nothing else of the sharer is disturbed.
    expect(await exec('sharer', 'echo', 'well')).toBe('well\n');
  });

  test.each([
    [{ NetworkMode: 'container:one', PortBindings: { '80/tcp': [{}] } }, {}, 'port publishing'],
    [{ NetworkMode: 'container:one', Dns: ['192.0.2.1'] }, {}, 'dns and the network mode'],
    [{ NetworkMode: 'container:one', ExtraHosts: ['a:192.0.2.1'] }, {}, 'custom host-to-IP'],
    [{ NetworkMode: 'container:one' }, { Hostname: 'mine' }, 'hostname and the network mode'],
    [{ NetworkMode: 'host', Links: ['one:a'] }, {}, "can't be used with links"],
    [{}, { NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ['a'] } } } }, 'network-scoped alias'],
  ])('%j %j is refused', async (HostConfig, more, why) => {
    await engine.create(SLEEP, { name: 'one' });
    const { body } = await engine.ask('POST', '/containers/create', {
      Image: 'busybox',
      ...more,
      HostConfig,
    });
    expect(String(body)).toContain(why);
  });
});

describe('SandboxKey', () => {
  const key = async (container: string) => (await inspect(container)).NetworkSettings.SandboxKey;
  const within = (...command: string[]) =>
    execFileSync('nsenter', ['-t', String(host.pid), '-m', '-n', ...command], { encoding: 'utf8' });
  /** Beside the host's own, `default`, which stays until the daemon ends. */
  const named = () => readdirSync(`${daemon.runDir}/netns`).filter(name => name !== 'default');
  const until = (count: number) =>
    eventually(
      async () => named().length,
      found => found === count,
    );

  test('is a file that nsenter and ip-netns take, one for containers that share a namespace', async () => {
    await start('web', SLEEP);
    await start('sharer', SLEEP, 'container:web');
    await start('alone', SLEEP, 'none');
    await start('open', SLEEP, 'host');
    const path = await key('web');
    expect(path).toBe(`${daemon.runDir}/netns/${(await inspect('web')).Id.slice(0, 12)}`);
    expect(within('nsenter', `--net=${path}`, 'ip', '-br', 'addr')).toContain(await address('web'));
    // ip(8) looks in /run/netns, which is the machine's.
    const asRoot = 'mount -t tmpfs run /run && ln -s "$0" /run/netns && exec ip netns exec "$1" ip -br addr';
    const name = path.split('/').at(-1)!;
    expect(within('unshare', '-m', 'sh', '-c', asRoot, `${daemon.runDir}/netns`, name)).toContain('eth0');
    expect(await key('sharer')).toBe(path);
    expect(await key('alone')).not.toBe(path);
    expect(await key('open')).toBe(`${daemon.runDir}/netns/default`);
    expect(named()).toHaveLength(2);
    // The namespace outlives the process for which it was made.
    await engine.json('POST', '/containers/web/kill');
    expect(await key('sharer')).toBe(path);
    await eventually(
      async () => existsSync(path),
      found => found,
    );
    expect(within('nsenter', `--net=${path}`, 'ip', '-br', 'addr')).toContain('eth0');
    // A mount would be copied into the namespace of each container that starts.
    expect(within('cat', '/proc/self/mountinfo')).not.toContain(path);
    await engine.json('POST', '/containers/sharer/kill');
    await until(1);
  });

  test('a daemon that starts removes those of containers that ended without it, and keeps the others', async () => {
    await start('web', SLEEP);
    await start('short', SLEEP);
    const path = await key('web');
    const { pid } = await inside('short');
    await daemon.end('SIGKILL');
    process.kill(pid, 'SIGKILL');
    expect(named()).toHaveLength(2);
    // Made by another program.
    writeFileSync(`${daemon.runDir}/netns/0123456789ab`, '');
    await daemon.begin();
    await until(1);
    expect(await key('web')).toBe(path);
    expect(new Set(readdirSync(`${daemon.runDir}/netns`))).toEqual(
      new Set([path.split('/').at(-1), 'default']),
    );
    expect(within('nsenter', `--net=${path}`, 'ip', '-br', 'addr')).toContain(await address('web'));
    await engine.json('POST', '/containers/web/kill');
    expect(await key('web')).toBe('');
    await until(0);
  });
});

describe('lives', () => {
  test('a restarted container has its ports and names again, and its address if that is free', async () => {
    await network('front');
    const more = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8085' }] } } };
    await start('web', server('web'), 'front', more);
    await start('other', SLEEP, 'front');
    const had = await address('web', 'front');
    for (const how of ['restart?t=0', 'kill', 'start']) {
      await engine.json('POST', `/containers/web/${how}`);
      // Another one comes, and gets the lowest address that is free, as in Docker.
      if (how === 'kill') await start('new', SLEEP, 'front');
      else {
        const isFree = how !== 'start';
        expect((await address('web', 'front')) === had).toBe(isFree);
        expect(await call('other', 'web')).toBe('web\n');
        expect(await ask(host, '127.0.0.1', 8085)).toBe('web');
      }
    }
  });

  test('networks outlive a daemon that is killed: packets flow without it, and the next one goes on', async () => {
    await network('front', { Labels: { a: 'b' } });
    await start('web', server('web'), 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8086' }] } },
    });
    await start('other', SLEEP, 'front');
    const before = { web: await inspect('web'), front: await engine.json('GET', '/networks/front') };
    await daemon.end('SIGKILL');
    expect(await ask(host, '127.0.0.1', 8086)).toBe('web');
    expect(await ask({ pid: beyond.pid }, '192.0.2.1', 8086)).toBe('web');
    await daemon.begin();
    expect(await engine.json('GET', '/networks/front')).toEqual(before.front);
    expect((await inspect('web')).NetworkSettings).toEqual(before.web.NetworkSettings);
    expect(await call('other', 'web')).toBe('web\n');
    expect(await ask(host, '127.0.0.1', 8086)).toBe('web');
    await start('late', SLEEP, 'front');
    expect(await call('late', 'web')).toBe('web\n');
    const id = await engine.create(SLEEP, {
      HostConfig: { NetworkMode: 'front', PortBindings: { '1/tcp': [{ HostPort: '8086' }] } },
    });
    expect((await engine.ask('POST', `/containers/${id}/start`)).status).toBe(409);
    expect((await engine.json<SystemInfo>('GET', '/info')).Warnings).toEqual([]);
    await engine.json('POST', '/networks/front/disconnect', { Container: 'web' });
    expect(await ask(host, '127.0.0.1', 8086)).toBe('');
  });
});

describe('a daemon that is killed while containers start', () => {
  test.each([1, 2, 3, 4])('leaves no link, address or port behind (%d)', async round => {
    await network('front');
    const HostConfig = { NetworkMode: 'front', AutoRemove: true, PublishAllPorts: true };
    const starts = Array.from({ length: 6 }, () =>
      engine.run(SLEEP, { ExposedPorts: { '80/tcp': {} }, HostConfig }).catch(() => undefined),
    );
    await new Promise(resolve => setTimeout(resolve, 25 * round));
    await daemon.end('SIGKILL');
    await Promise.all(starts);
    await daemon.begin();
    const running = await engine.json<{ Id: string }[]>('GET', '/containers/json');
    const { Containers } = await engine.json<NetworkResource>('GET', '/networks/front');
    expect(Object.keys(Containers).sort()).toEqual(running.map(each => each.Id).sort());
    const cables = () => ip('link show type veth', host.pid).filter(link => link.ifname !== 'up0');
    await eventually(
      async () => cables().length,
      count => count === running.length,
    );
    for (const { Id } of running) {
      const { Ports } = (await inspect(Id)).NetworkSettings;
      const taken = await engine.create(SLEEP, {
        HostConfig: { NetworkMode: 'bridge', PortBindings: { '81/tcp': [Ports['80/tcp']![0]!] } },
      });
      expect((await engine.ask('POST', `/containers/${taken}/start`)).status).toBe(409);
    }
  });
});
