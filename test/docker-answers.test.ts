// What the daemon answers where dockerd 20.10, asked the same, says just this: refusals at create, filters, links,
// and what was removed behind its back.

import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
}, 60_000);
afterAll(() => daemon.stop());

const remove = (...names: string[]) =>
  Promise.all(names.map(name => engine.ask('DELETE', `/containers/${name}?force=1&v=1`)));

async function answer(method: string, path: string, body?: object): Promise<[number, string]> {
  const { status, body: bytes } = await engine.ask(method, path, body);
  const text = bytes.toString();
  return [status, text.startsWith('{') ? (JSON.parse(text).message ?? '') : text];
}

const query = (filters: object) => `filters=${encodeURIComponent(JSON.stringify(filters))}`;

describe('a container that cannot be is refused at create, and nothing is left of it', () => {
  const bind = { Type: 'bind', Source: '/tmp', Target: '/x' };
  const mount = (more: object) => ({ HostConfig: { Mounts: [{ ...bind, ...more }] } });
  const port = (key: string, HostPort: string) => ({
    HostConfig: { PortBindings: { [key]: [{ HostPort }] } },
  });
  const health = (more: object) => ({ Healthcheck: { Test: ['CMD', 'x'], ...more } });
  test.for<[body: object, message: string]>([
    [{ HostConfig: { PidMode: 'container:X' } }, 'No such container: X'],
    [{ HostConfig: { IpcMode: 'container:X' } }, 'No such container: X'],
    [{ HostConfig: { VolumesFrom: ['X'] } }, 'No such container: X'],
    [
      { HostConfig: { Links: ['nothing:x'], Binds: ['unmade:/x'] } },
      'could not get container for nothing: No such container: nothing',
    ],
    [
      { HostConfig: { NetworkMode: 'container:X', PortBindings: { '80/tcp': [{ HostPort: '80' }] } } },
      'conflicting options: port publishing and the container type network mode',
    ],
    [{ Hostname: 'x', HostConfig: { UTSMode: 'host' } }, 'conflicting options: hostname and the UTS mode'],
    [port('aa80', '80'), 'invalid port specification: "aa80"'],
    [port('80/tcp', '19039;1230'), 'invalid port specification: "19039;1230"'],
    [port('80/tcp', '70000'), 'invalid port specification: "70000"'],
    [port('80/tcp', '90-80'), 'invalid port specification: "90-80"'],
    [
      mount({ VolumeOptions: { NoCopy: true } }),
      'invalid mount config for type "bind": field VolumeOptions must not be specified',
    ],
    [
      mount({ BindOptions: { Propagation: 'foo' } }),
      'invalid mount config for type "bind": invalid propagation mode: foo',
    ],
    [mount({ Type: 'foo' }), 'invalid mount config for type "foo": mount type unknown'],
    [
      mount({ Target: '/' }),
      `invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    ],
    [
      mount({ Type: 'volume', Source: 'abc', BindOptions: { Propagation: 'rslave' } }),
      'invalid mount config for type "volume": field BindOptions must not be specified',
    ],
    [
      { HostConfig: { Binds: ['/tmp:x'] } },
      `invalid volume specification: '/tmp:x': invalid mount config for type "bind": invalid mount path: 'x' mount path must be absolute`,
    ],
    [{ HostConfig: { ExtraHosts: ['foo'] } }, 'bad format for add-host: "foo"'],
    [{ HostConfig: { ExtraHosts: ['foo:bar'] } }, 'invalid IP address in add-host: "bar"'],
    [{ HostConfig: { CapAdd: ['foo'] } }, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
    [{ HostConfig: { Isolation: 'foo' } }, `Invalid isolation: "foo" - linux only supports 'default'`],
    [{ HostConfig: { Tmpfs: { '/x': 'ro,foo=5' } } }, 'invalid tmpfs option ["foo" "5"]'],
    [{ HostConfig: { Tmpfs: { '/x': 'size=-5' } } }, 'invalid tmpfs option ["size" "-5"]'],
    [
      mount({ Type: 'tmpfs', Source: '', TmpfsOptions: { SizeBytes: -1 } }),
      'invalid tmpfs option ["size" "-1"]',
    ],
    [health({ Interval: 1 }), 'Interval in Healthcheck cannot be less than 1ms'],
    [health({ Timeout: -1 }), 'Timeout in Healthcheck cannot be less than 1ms'],
    [health({ Retries: -1 }), 'Retries in Healthcheck cannot be negative'],
    [
      { NetworkingConfig: { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: 'foo' } } } } },
      'invalid IPv4 address: foo',
    ],
    ...['zz', '02:42:ac:11:00', '00:00:00:00:00:00', '01:00:5e:00:00:01'].map((mac): [object, string] => [
      { MacAddress: mac },
      `invalid MAC address "${mac}": it must be one link's, such as 02:42:ac:11:00:02`,
    ]),
  ])('%j', async ([body, message]) => {
    const before = await engine.json<object[]>('GET', '/containers/json?all=1');
    expect(await answer('POST', '/containers/create', { Image: 'busybox', Cmd: ['x'], ...body })).toEqual([
      400,
      message,
    ]);
    expect(await engine.json('GET', '/containers/json?all=1')).toHaveLength(before.length);
    const { Volumes } = await engine.json<{ Volumes: object[] }>('GET', '/volumes');
    expect(Volumes).toEqual([]);
  });
});

test('a network to share that is not there is missed at the start only: clients would pull the image', async () => {
  const id = await engine.create(['true'], { HostConfig: { NetworkMode: 'container:X' } });
  expect(await answer('POST', `/containers/${id}/start`)).toEqual([404, 'No such container: X']);
  await remove(id);
});

test('options without effect are accepted with a warning', async () => {
  const warnings = async (HostConfig: object) =>
    (
      await engine.json<{ Warnings: string[] }>('POST', '/containers/create?name=warned', {
        Image: 'busybox',
        Cmd: ['x'],
        HostConfig,
      })
    ).Warnings;
  const ports = { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '80' }] } };
  expect(await warnings(ports)).toEqual(['Published ports are discarded when using host network mode']);
  await remove('warned');
  expect(await warnings({ OomKillDisable: true })).toEqual([
    expect.stringMatching(/^OOM killer is disabled/),
  ]);
  await remove('warned');
});

test('filters match the field in their name, and refuse impossible values', async () => {
  const HostConfig = { NetworkMode: 'bridge', PortBindings: { '80/tcp': [{ HostPort: '18080' }] } };
  await engine.create(['true'], { name: 'published', ExposedPorts: { '77/tcp': {} }, HostConfig });
  const names = async (filters: object) => {
    const found = await engine.json<{ Names: string[] }[]>('GET', `/containers/json?all=1&${query(filters)}`);
    return found.flatMap(({ Names }) => Names);
  };
  expect(await names({ publish: ['18080'] })).toEqual(['/published']);
  expect(await names({ publish: ['18000-18100/tcp'] })).toEqual(['/published']);
  expect(await names({ publish: ['80'] })).toEqual([]);
  expect(await names({ publish: ['18080/udp'] })).toEqual([]);
  expect(await names({ expose: ['80'] })).toEqual(['/published']);
  expect(await names({ expose: ['70-79'] })).toEqual(['/published']);
  for (const [path, filter, message] of [
    [
      '/containers/json',
      { publish: ['abc'] },
      'error while looking up for publish abc: strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    [
      '/containers/json',
      { expose: ['2-1'] },
      'error while looking up for expose 2-1: Invalid range specified for the Port: 2-1',
    ],
    ['/containers/json', { foo: ['x'] }, "Invalid filter 'foo'"],
    ['/containers/json', { status: ['foo'] }, "Invalid filter 'status=foo'"],
    ['/containers/json', { health: ['foo'] }, 'Unrecognised filter value for health: foo'],
    ['/containers/json', { exited: ['x'] }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['/containers/json', { publish: ['1:2'] }, "filter for 'publish' should not contain ':': 1:2"],
    ['/images/json', { dangling: ['invalid'] }, "Invalid filter 'dangling=[invalid]'"],
    ['/volumes', { dangling: ['yes'] }, "Invalid filter 'dangling=[yes]'"],
    ['/networks', { foo: ['x'] }, "Invalid filter 'foo'"],
    ['/networks', { type: ['x'] }, "invalid filter: 'type'='x'"],
    [
      '/networks',
      { dangling: ['x'] },
      'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
    ],
  ] as const)
    expect(await answer('GET', `${path}?${query(filter)}`)).toEqual([400, message]);
  await remove('published');
});

test('an image that only says something else is no ancestor, and the newest image comes first', async () => {
  const base = await engine.create(['true'], { name: 'base' });
  const { Id: child } = await engine.json<{ Id: string }>(
    'POST',
    `/commit?container=${base}&repo=child&changes=LABEL+a=b`,
  );
  await engine.create(['true'], { name: 'childs', Image: 'child' });
  const names = async (image: string) =>
    (
      await engine.json<{ Names: string[] }[]>(
        'GET',
        `/containers/json?all=1&${query({ ancestor: [image] })}`,
      )
    ).flatMap(each => each.Names);
  expect(await names('child')).toEqual(['/childs']);
  expect(await names('busybox')).toEqual(['/childs', '/base']);
  const images = await engine.json<{ Id: string; ParentId: string }[]>('GET', '/images/json');
  const busybox = await engine.json<{ Id: string; GraphDriver: { Data: Record<string, string> } }>(
    'GET',
    '/images/busybox/json',
  );
  expect(images.map(each => each.Id)).toEqual([child, busybox.Id]);
  expect(images[0]!.ParentId).toBe(busybox.Id);
  const { GraphDriver } = await engine.json<{ GraphDriver: { Data: Record<string, string> } }>(
    'GET',
    '/containers/base/json',
  );
  expect(GraphDriver.Data.LowerDir!.split(':')).toContain(busybox.GraphDriver.Data.UpperDir);
  expect(Object.keys(GraphDriver.Data)).toEqual(['LowerDir', 'MergedDir', 'UpperDir', 'WorkDir']);
  await remove('base', 'childs');
  await engine.json('DELETE', '/images/child');
});

test('--until alone replays what has happened, and image events have the labels of their image', async () => {
  const container = await engine.create(['true']);
  await engine.json('POST', `/commit?container=${container}&repo=labelled&changes=LABEL+colour=red`);
  await engine.json('POST', '/images/labelled/tag?repo=labelled&tag=2');
  await remove(container);
  const now = Date.now() / 1000;
  const { body } = await engine.ask(
    'GET',
    `/events?until=${now}&${query({ type: ['image'], event: ['tag'] })}`,
  );
  const events = body
    .toString()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(events.at(-1).Actor.Attributes).toEqual({ colour: 'red', name: 'labelled:2' });
  expect(await answer('GET', '/events?since=1700000000&until=1600000000')).toEqual([
    400,
    '`since` time (1700000000) cannot be after `until` time (1600000000)',
  ]);
  for (const tag of ['latest', '2']) await engine.json('DELETE', `/images/labelled:${tag}`);
});

test('a link is kept by id, is a name of its target, and can be taken away', async () => {
  const onBridge = { NetworkMode: 'bridge' };
  await engine.run(['sleep', '100'], { name: 'db', HostConfig: onBridge });
  const web = await engine.run(['sleep', '100'], {
    name: 'web',
    HostConfig: { ...onBridge, Links: ['db:store', 'db'] },
  });
  const links = async () =>
    (await engine.json<{ HostConfig: { Links: string[] } }>('GET', `/containers/${web}/json`)).HostConfig
      .Links;
  expect(await links()).toEqual(['/db:/web/store', '/db:/web/db']);
  await engine.json('POST', '/containers/db/rename?name=base');
  expect(await links()).toEqual(['/base:/web/store', '/base:/web/db']);
  expect((await engine.inspect('web/store')).Name).toBe('/base');
  const listed = await engine.json<{ Names: string[] }[]>(
    'GET',
    `/containers/json?${query({ name: ['base'] })}`,
  );
  expect(listed[0]!.Names).toEqual(['/base', '/web/store', '/web/db']);
  await engine.json('DELETE', '/containers/web/store?link=1');
  expect(await links()).toEqual(['/base:/web/db']);
  expect(await answer('DELETE', '/containers/web/store?link=1')).toEqual([
    404,
    'No such container: web/store',
  ]);
  await engine.json('POST', '/containers/web/restart?t=0');
  await remove('web', 'base');
});

test('containers whose namespaces are shared may be renamed', async () => {
  await engine.run(['sleep', '100'], { name: 'first', HostConfig: { IpcMode: 'shareable' } });
  const HostConfig = { PidMode: 'container:first', IpcMode: 'container:first' };
  await engine.run(['sleep', '100'], { name: 'second', HostConfig });
  await engine.json('POST', '/containers/first/rename?name=renamed');
  await engine.json('POST', '/containers/second/restart?t=0');
  expect((await engine.inspect('second')).State.Status).toBe('running');
  await remove('second', 'renamed');
});

test('kill ends a container that waits for its restart', async () => {
  const RestartPolicy = { Name: 'always' };
  await engine.run(['false'], { name: 'again', HostConfig: { RestartPolicy } });
  const status = async () => (await engine.inspect('again')).State.Status;
  await eventually(status, found => found === 'restarting');
  await engine.json('POST', '/containers/again/kill');
  expect(await status()).toBe('exited');
  await remove('again');
});

test('a volume without a name goes with the last container that has it', async () => {
  await engine.create(['true'], { name: 'owner', Volumes: { '/data': {} } });
  await engine.create(['true'], { name: 'guest', HostConfig: { VolumesFrom: ['owner'] } });
  const count = async () => (await engine.json<{ Volumes: object[] }>('GET', '/volumes')).Volumes.length;
  await remove('owner');
  expect(await count()).toBe(1);
  await remove('guest');
  expect(await count()).toBe(0);
});

test('a volume whose directory is gone can be mounted, made again, pruned and removed', async () => {
  const gone = async (what: (data: string) => string) => {
    const { Mountpoint } = await engine.json<{ Mountpoint: string }>('POST', '/volumes/create', {
      Name: 'gone',
    });
    rmSync(what(Mountpoint), { recursive: true });
  };
  for (const what of [(data: string) => data, dirname]) {
    await gone(what);
    const container = await engine.run(['touch', '/x/file'], { HostConfig: { Binds: ['gone:/x'] } });
    expect(await engine.wait(container)).toBe(0);
    await remove(container);
    await gone(what);
    await gone(what);
    expect(await engine.json('POST', `/volumes/prune?${query({ all: ['1'] })}`)).toMatchObject({
      VolumesDeleted: ['gone'],
    });
    await gone(what);
    expect(await answer('DELETE', '/volumes/gone')).toEqual([204, '']);
    expect(await answer('DELETE', '/volumes/gone')).toEqual([404, 'get gone: no such volume']);
  }
});

test('the driver local mounts filesystems, where only the container sees them', async () => {
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=10m,uid=1000' };
  await engine.json('POST', '/volumes/create', { Name: 'memory', DriverOpts });
  const container = await engine.run(['sh', '-c', "grep ' /t ' /proc/mounts; stat -c %u /t"], {
    HostConfig: { Binds: ['memory:/t'] },
  });
  await engine.wait(container);
  expect(await engine.logs(container)).toMatch(
    /^tmpfs \/t tmpfs rw,relatime,size=10240k,uid=1000.*\n1000\n$/,
  );
  await remove(container);
  await engine.json('DELETE', '/volumes/memory');
  for (const [options, message] of [
    [{ type: 'foo' }, 'missing required option: "device"'],
    [{ device: '/x' }, 'missing required option: "type"'],
    [{ foo: 'bar' }, 'invalid option: "foo"'],
  ] as const)
    expect(await answer('POST', '/volumes/create', { Name: 'fv', DriverOpts: options })).toEqual([
      400,
      `create fv: ${message}`,
    ]);
});

test('a network that is gone can be taken from a container by force, and `default` is no name for one', async () => {
  await engine.json('POST', '/networks/create', { Name: 'short' });
  await engine.create(['true'], { name: 'left', HostConfig: { NetworkMode: 'short' } });
  await engine.json('DELETE', '/networks/short');
  const body = { Container: 'left' };
  expect(await answer('POST', '/networks/short/disconnect', body)).toEqual([404, 'network short not found']);
  expect(await answer('POST', '/networks/short/disconnect', { ...body, Force: true })).toEqual([200, '']);
  expect(await answer('POST', '/networks/create', { Name: 'default' })).toEqual([
    403,
    'operation is not permitted on predefined default network',
  ]);
  await remove('left');
});

test('a link-local address that was asked for is on the interface', async () => {
  const EndpointsConfig = { bridge: { IPAMConfig: { LinkLocalIPs: ['169.254.7.7'] } } };
  const more = { HostConfig: { NetworkMode: 'bridge' }, NetworkingConfig: { EndpointsConfig } };
  const container = await engine.run(['ip', '-4', 'addr', 'show', 'eth0'], more);
  await engine.wait(container);
  expect(await engine.logs(container)).toContain('inet 169.254.7.7/16');
  await remove(container);
});

test('/etc/mtab shows what is mounted', async () => {
  const container = await engine.run(['readlink', '/etc/mtab']);
  await engine.wait(container);
  expect(await engine.logs(container)).toBe('/proc/mounts\n');
  await remove(container);
});

test('clients before 1.45 find the short id among the aliases on a network with names', async () => {
  await engine.json('POST', '/networks/create', { Name: 'named' });
  const id = await engine.create(['true'], { HostConfig: { NetworkMode: 'named' } });
  const aliases = async (version: string) => {
    const path = `/v${version}/containers/${id}/json`;
    type Found = { NetworkSettings: { Networks: { named: { Aliases: string[] | null } } } };
    return (await engine.json<Found>('GET', path)).NetworkSettings.Networks.named.Aliases;
  };
  expect([await aliases('1.41'), await aliases('1.45')]).toEqual([[id.slice(0, 12)], null]);
  await remove(id);
  await engine.json('DELETE', '/networks/named');
});

test('an out-of-memory event is reported, even if no process is killed', async () => {
  const since = Date.now() / 1000;
  const eat = ['sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'];
  const HostConfig = { Memory: 16 << 20, MemorySwap: 16 << 20, OomKillDisable: true };
  const container = await engine.run(eat, { HostConfig });
  const told = async () => {
    const filters = query({ container: [container], event: ['oom'] });
    return (await engine.ask('GET', `/events?since=${since}&until=${Date.now() / 1000}&${filters}`)).body
      .length;
  };
  await eventually(told, length => length > 0);
  await remove(container);
});

test('the working directory is there before the first start', async () => {
  await engine.create(['true'], { name: 'fresh', WorkingDir: '/some/dir' });
  expect((await answer('HEAD', '/containers/fresh/archive?path=/some/dir'))[0]).toBe(200);
  const changes = await engine.json<{ Path: string }[]>('GET', '/containers/fresh/changes');
  expect(changes.map(({ Path }) => Path)).toEqual(['/some', '/some/dir']);
  await remove('fresh');
});

test('programs get a home and the short name of their host', async () => {
  const script = 'echo $HOME; tail -n 1 /etc/hosts';
  const HostConfig = { NetworkMode: 'bridge' };
  const container = await engine.run(['sh', '-c', script], {
    Env: ['HOME='],
    Hostname: 'foobar.example.com',
    HostConfig,
  });
  await engine.wait(container);
  expect(await engine.logs(container)).toMatch(/^\/root\n172\.17\.0\.\d+\tfoobar\.example\.com foobar\n$/);
  await remove(container);
});

test('an exec belongs to one life of its container, and keeps its pid', async () => {
  await engine.run(['sleep', '100'], { name: 'host' });
  const exec = async () =>
    (await engine.json<{ Id: string }>('POST', '/containers/host/exec', { Cmd: ['true'] })).Id;
  const ended = await exec();
  await engine.json('POST', `/exec/${ended}/start`, { Detach: true });
  const inspect = () => engine.json<{ Running: boolean; Pid: number }>('GET', `/exec/${ended}/json`);
  expect((await eventually(inspect, ({ Running }) => !Running)).Pid).toBeGreaterThan(0);
  const waiting = await exec();
  await engine.json('POST', '/containers/host/restart?t=0');
  expect(await answer('POST', `/exec/${waiting}/start`, { Detach: true })).toEqual([
    404,
    `No such exec instance: ${waiting}`,
  ]);
  await remove('host');
});

test('an update that would undo another limit is refused: --cpus and a quota, memory and swap', async () => {
  const id = await engine.create(['true'], { HostConfig: { NanoCpus: 1e9 } });
  for (const swap of [undefined, -1]) {
    if (swap) await answer('POST', `/containers/${id}/update`, { Memory: 64 << 20, MemorySwap: swap });
    expect((await answer('POST', `/containers/${id}/update`, { Memory: 99 << 20 }))[1]).toContain(
      'update the memoryswap at the same time',
    );
  }
  expect(await answer('POST', `/containers/${id}/update`, { CpuQuota: 5000 })).toEqual([
    400,
    `Cannot update container ${id}: Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
  ]);
  await remove(id);
});

test('logs --details shows the labels and variables that were asked for', async () => {
  const Config = { labels: 'x', env: 'E', 'env-regex': '^Q', tag: '{{.Name}}' };
  const more = { name: 'detailed', Labels: { x: '1', y: '2' }, Env: ['E=a b,c', 'Q9=q', 'F=f'] };
  const id = await engine.run(['echo', 'hello'], {
    ...more,
    HostConfig: { LogConfig: { Type: 'json-file', Config } },
  });
  await engine.wait(id);
  expect(await engine.logs(id, 'stdout=1&details=1')).toBe('E=a+b%2Cc,Q9=q,tag=detailed,x=1 hello\n');
  await remove(id);
});
