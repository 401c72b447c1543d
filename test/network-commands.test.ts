// Networks by the API, by our command, and by docker's.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { NetworkResource } from '../mini-docker/formats/engine-api/networks.ts';
import type { EventMessage } from '../mini-docker/formats/engine-api/system.ts';
import type { NetworkMap } from '../mini-docker/formats/network-map.ts';
import { commandLines } from './support/command-lines.ts';
import { hold } from './support/held-process.ts';
import { ask } from './support/network-hosts.ts';
import {
  address,
  daemon,
  endpoint,
  engine,
  host,
  message,
  network,
  SLEEP,
  server,
  start,
  useNetworkScene,
} from './support/network-scene.ts';
import { ip } from './support/own-network.ts';

useNetworkScene();

describe('the API', () => {
  test('create, inspect, list with filters, remove, prune', async () => {
    const body = { Name: 'front', Labels: { tier: 'web' }, Internal: true, Attachable: true };
    const created = await engine.json<{ Id: string }>('POST', '/networks/create', body);
    expect(created).toEqual({ Id: expect.stringMatching(/^[0-9a-f]{64}$/), Warning: '' });
    const id = await start('web', SLEEP, 'front');
    const found = await engine.json<NetworkResource>('GET', `/networks/${created.Id.slice(0, 10)}`);
    expect(found).toMatchObject({
      ...body,
      Id: created.Id,
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv6: false,
    });
    expect(found.Containers).toEqual({
      [id]: {
        Name: 'web',
        EndpointID: (await endpoint('web', 'front')).EndpointID,
        MacAddress: (await endpoint('web', 'front')).MacAddress,
        IPv4Address: `${await address('web', 'front')}/${found.IPAM.Config[0]!.Subnet!.split('/')[1]}`,
        IPv6Address: '',
      },
    });
    const names = async (filters: object) => {
      const query = encodeURIComponent(JSON.stringify(filters));
      const list = await engine.json<NetworkResource[]>('GET', `/networks?filters=${query}`);
      return list.map(each => each.Name).sort();
    };
    expect(await names({})).toEqual(['bridge', 'front', 'host', 'none']);
    expect(await names({ label: ['tier=web'] })).toEqual(['front']);
    expect(await names({ driver: ['null'] })).toEqual(['none']);
    expect(await names({ name: ['on'] })).toEqual(['front', 'none']);
    expect(await names({ type: { custom: true } })).toEqual(['front']);
    expect((await engine.ask('GET', '/networks?filters={"color":["red"]}')).status).toBe(400);

    expect(message(await engine.ask('DELETE', '/networks/front'))).toMatch(
      /^403 .*has active endpoints: web/,
    );
    await engine.json('POST', '/containers/web/stop?t=0');
    // A container that does not run wants it still.
    expect(await engine.json('POST', '/networks/prune')).toEqual({ NetworksDeleted: [] });
    await engine.json('DELETE', '/containers/web');
    expect(await engine.json('POST', '/networks/prune')).toEqual({ NetworksDeleted: ['front'] });
  });

  test.each([
    [{ Name: 'host' }, 403, 'predefined'],
    [{ Name: 'x', Driver: 'nix' }, 404, 'plugin nix'],
    [{ Name: 'x', Driver: 'overlay' }, 503, 'cluster store'],
    [{ Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.1' }] } }, 400, 'invalid subnet'],
    [{ Name: 'x', IPAM: { Config: [{ Subnet: '172.17.0.0/16' }] } }, 403, 'overlaps'],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.1.0.0/24', Gateway: '10.2.0.1' }] } },
      400,
      'invalid gateway',
    ],
    ...['10.1.0.0', '10.1.0.255'].map((Gateway): [object, number, string] => [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.1.0.0/24', Gateway }] } },
      403,
      `failed to allocate gateway (${Gateway}): Address already in use`,
    ]),
    ...['10.1.0.0', '10.1.0.1', '10.1.0.255'].map((used): [object, number, string] => [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.1.0.0/24', AuxiliaryAddresses: { it: used } }] } },
      403,
      `failed to allocate secondary ip address (it:${used}): Address already in use`,
    ]),
    [{ Name: '' }, 400, 'cannot be empty'],
    [{}, 400, 'cannot be empty'],
    [{ Name: 'x', Options: { mtu: 'large' } }, 400, 'is not a number'],
    [{ Name: 'x', Options: { bridge: 'all' } }, 400, 'is not a link name'],
  ])('create %j is refused with %d', async (body, status, why) => {
    const subnet = (await engine.json<NetworkResource>('GET', '/networks/bridge')).IPAM.Config[0]!.Subnet!;
    const text = JSON.stringify(body).replace('172.17.0.0/16', subnet);
    const answer = await engine.ask('POST', '/networks/create', JSON.parse(text));
    expect([answer.status, String(answer.body)]).toEqual([status, expect.stringContaining(why)]);
  });

  test('a missing network is 404, a name that is taken 409', async () => {
    await network('front');
    expect((await engine.ask('POST', '/networks/create', { Name: 'front' })).status).toBe(409);
    for (const [method, path] of [
      ['GET', '/networks/nope'],
      ['DELETE', '/networks/nope'],
      ['POST', '/networks/nope/connect'],
      ['POST', '/networks/front/connect'],
    ] as const)
      expect(
        (await engine.ask(method, path, method === 'POST' ? { Container: 'nobody' } : undefined)).status,
      ).toBe(404);
    const id = await engine.create(SLEEP, { HostConfig: { NetworkMode: 'nope' } });
    expect(message(await engine.ask('POST', `/containers/${id}/start`))).toBe('404 network nope not found');
    expect((await engine.ask('DELETE', '/networks/bridge')).status).toBe(403);
  });

  test('an exhausted pool is a clear error', async () => {
    await network('tiny', { IPAM: { Config: [{ Subnet: '10.78.0.0/30' }] } });
    await start('one', SLEEP, 'tiny');
    const id = await engine.create(SLEEP, { HostConfig: { NetworkMode: 'tiny' } });
    expect(message(await engine.ask('POST', `/containers/${id}/start`))).toMatch(
      /^403 no available IPv4 addresses/,
    );
  });

  test('events tell of create, connect, disconnect and destroy', async () => {
    const since = Date.now() / 1000;
    const { Id } = await network('told');
    const id = await start('web', SLEEP, 'told');
    await engine.json('DELETE', '/containers/web?force=1');
    await engine.json('DELETE', '/networks/told');
    const filters = encodeURIComponent('{"type":["network"],"network":["told"]}');
    const query = `since=${since}&until=${Date.now() / 1000 + 0.05}&filters=${filters}`;
    const lines = String((await engine.ask('GET', `/events?${query}`)).body)
      .trim()
      .split('\n');
    const events = lines.map(line => JSON.parse(line) as EventMessage);
    expect(events.map(each => [each.Action, each.Actor])).toEqual([
      ['create', { ID: Id, Attributes: { name: 'told', type: 'bridge' } }],
      ['connect', { ID: Id, Attributes: { container: id, name: 'told', type: 'bridge' } }],
      ['disconnect', { ID: Id, Attributes: { container: id, name: 'told', type: 'bridge' } }],
      ['destroy', { ID: Id, Attributes: { name: 'told', type: 'bridge' } }],
    ]);
  });

  test('the map is what the kernel has', async () => {
    await network('front');
    await start('web', server('web'), 'front', {
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8087' }] } },
    });
    const map = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
    const front = map.bridges.find(each => each.network === 'front')!;
    const [bridge] = ip(`link show ${front.link}`, host.pid);
    expect(front).toMatchObject({ mac: bridge.address, mtu: 1500, up: true });
    const [cable] = front.cables;
    expect(ip(`link show ${cable!.link}`, host.pid)[0].master).toBe(front.link);
    const { IPAddress, IPPrefixLen, MacAddress } = await endpoint('web', 'front');
    expect(cable!.end).toMatchObject({
      container: 'web',
      interface: 'eth0',
      mac: MacAddress,
      addresses: [`${IPAddress}/${IPPrefixLen}`],
    });
    expect(map.published).toEqual([
      {
        protocol: 'tcp',
        hostIp: '127.0.0.1',
        hostPort: 8087,
        container: 'web',
        containerIp: IPAddress,
        containerPort: 80,
      },
    ]);
    // The cable is removed by hand, and the map shows it.
    execFileSync('nsenter', ['-t', String(host.pid), '-n', 'ip', 'link', 'set', cable!.link, 'nomaster']);
    const after = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
    expect(after.bridges.find(each => each.network === 'front')!.cables).toEqual([]);
  });
});

test("the map says where other programs' ports of a bridge lead", async () => {
  await start('web', SLEEP);
  await using apart = await hold({ wrapper: ['unshare', '--net'] });
  const within = (line: string) =>
    execFileSync('nsenter', ['-t', String(host.pid), '-n', ...line.split(' ')]);
  within('ip link add here0 type veth peer name here1');
  within(`ip link add there0 type veth peer name there1 netns ${apart.pid}`);
  within('ip tuntap add dev tap0 mode tap');
  for (const link of ['here0', 'there0', 'tap0']) within(`ip link set ${link} master mini-docker0`);
  const { bridges } = await engine.json<NetworkMap>('GET', '/mini-docker/network-map');
  const { cables } = bridges.find(each => each.network === 'bridge')!;
  const named = (link: string) => cables.find(each => each.link === link);
  expect(named('here0')).toMatchObject({ kind: 'veth', foreign: { link: 'here1' } });
  expect(named('there0')).toMatchObject({ foreign: { link: 'there1', process: { pid: apart.pid } } });
  expect(named('tap0')).toMatchObject({ kind: 'tun' });
  for (const link of ['here0', 'there0', 'tap0']) within(`ip link del ${link}`);
});

describe.each(commandLines(() => daemon))('$name', ({ name, does, cli }) => {
  test('network create --config-only and --config-from', async () => {
    await does('network create --config-only --subnet 10.78.0.0/24 --label a=b plan');
    await does('network create --config-from plan made');
    const format = '{{(index .IPAM.Config 0).Subnet}} {{.Labels}} {{.ConfigFrom.Network}} {{.Driver}}';
    expect(await does(['network', 'inspect', '-f', format, 'made'])).toBe(
      '10.78.0.0/24 map[a:b] plan bridge\n',
    );
    for (const [command, why] of [
      ['run --rm --net plan busybox true', 'cannot create endpoint on configuration-only network'],
      ['network rm plan', 'configuration network "plan" is in use'],
      ['network create --config-from nothing other', 'configuration network "nothing" does not exist'],
      [
        'network create --config-from plan --label c=d other',
        'user specified configurations are not supported',
      ],
      [
        'network create --config-from plan --config-only other',
        'cannot depend on another configuration network',
      ],
    ] as const) {
      expect((await cli(command)).err, command).toContain(why);
    }
    expect(await does('run --rm --net made busybox ip -4 addr show eth0')).toContain('10.78.0.2/24');
    await daemon.end('SIGTERM');
    await daemon.begin();
    await does('network rm made');
    await does('network rm plan');
  });

  test('network create, ls, inspect, connect, disconnect, rm, prune', async () => {
    const id = (
      await does(
        'network create --label a=b --subnet 10.79.0.0/24 --ip-range 10.79.0.64/26 --gateway 10.79.0.9 --aux-address x=10.79.0.65 -o com.docker.network.driver.mtu=1300 --attachable front',
      )
    ).trim();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await does('network ls --filter label=a')).toMatch(
      new RegExp(`^NETWORK ID +NAME +DRIVER +SCOPE\n${id.slice(0, 12)} +front +bridge +local\n$`),
    );
    expect(await does('network ls -q --no-trunc --filter name=front')).toBe(`${id}\n`);
    const [found] = JSON.parse(await does('network inspect front'));
    expect(found).toMatchObject({
      Attachable: true,
      IPAM: {
        Config: [
          {
            Subnet: '10.79.0.0/24',
            IPRange: '10.79.0.64/26',
            Gateway: '10.79.0.9',
            AuxiliaryAddresses: { x: '10.79.0.65' },
          },
        ],
      },
      Options: { 'com.docker.network.driver.mtu': '1300' },
    });
    await does('network create --ipv6 --internal back');
    expect(await does(['network', 'inspect', '-f', '{{.Internal}} {{.EnableIPv6}}', 'back'])).toBe(
      'true true\n',
    );
    await does('run -d --name web --net front --ip 10.79.0.70 --network-alias www busybox sleep 1000');
    expect(await does('run --rm --net front busybox ping -c1 -W1 www')).toContain('64 bytes from 10.79.0.70');
    expect(await cli('network connect --ip6 2001:db8::1 back web')).toMatchObject({
      code: 1,
      err: expect.stringContaining('user configured subnets'),
    });
    expect(await does('network connect --alias site back web')).toBe('');
    expect(await does('run --rm --net back busybox ping -c1 -W1 site')).toContain('64 bytes');
    expect(await cli('network rm back')).toMatchObject({
      code: 1,
      err: expect.stringContaining('active endpoints'),
    });
    expect(await does('network disconnect back web')).toBe('');
    expect(await does('network rm back')).toBe('back\n');
    expect(await does('rm -f web')).toBe('web\n');
    expect(await does('network prune -f')).toBe('Deleted Networks:\nfront\n\n');
    expect(await cli('network inspect front')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/network front not found|No such network: front/),
    });
  });

  test('run -p, -P, --expose, port, ps; --link, --add-host, --dns, --mac-address; --net container', async () => {
    await does([
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      '127.0.0.1:8090:80',
      '-P',
      '--expose',
      '81',
      '--mac-address',
      '02:00:00:00:00:09',
      'busybox',
      ...server('web'),
    ]);
    expect(await does('port web 80')).toBe('127.0.0.1:8090\n');
    // Older clients list them in any order.
    expect((await does('port web')).trim().split('\n').sort()).toEqual([
      '80/tcp -> 127.0.0.1:8090',
      expect.stringMatching(/^81\/tcp -> 0.0.0.0:\d+$/),
      expect.stringMatching(/^81\/tcp -> (\[::\]|::):\d+$/),
    ]);
    expect(await does(['ps', '--format', '{{.Ports}}'])).toMatch(
      /^127.0.0.1:8090->80\/tcp, 0.0.0.0:(\d+)->81\/tcp, (\[::\]|::):+\1->81\/tcp\n$/,
    );
    expect(await ask(host, '127.0.0.1', 8090)).toBe('web');
    const hosts = await does(
      'run --rm --link web:www --add-host here:host-gateway --dns 192.0.2.5 busybox cat /etc/hosts /etc/resolv.conf',
    );
    expect(hosts).toMatch(/\twww \w+ web\n/);
    expect(hosts).toMatch(/\d\there\n/);
    expect(hosts).toContain('nameserver 192.0.2.5\n');
    expect(await does('run --rm --net container:web busybox cat /sys/class/net/eth0/address')).toBe(
      '02:00:00:00:00:09\n',
    );
    expect(await cli('run --rm -p 127.0.0.1:8090:80 busybox true')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/8090/),
    });
    expect(await does('ps -aq')).toMatch(/^\w{12}\n$/);
  });

  if (name !== 'mini-docker') return;
  test('network map draws them', async () => {
    await does(['run', '-d', '--name', 'web', '-p', '8091:80', 'busybox', ...server('web')]);
    const drawn = await does('network map');
    expect(drawn).toMatch(/─ bridge · bridge mini-docker0 · 172\.\d+\.0\.1\/16\n/);
    expect(drawn).toMatch(
      /└─ veth\w+ ═══ eth0 of web · 172\.\d+\.0\.\d+\/16 · 02:42:\S+\n +0\.0\.0\.0:8091 ─▶ 80\/tcp\n/,
    );
  });
});
