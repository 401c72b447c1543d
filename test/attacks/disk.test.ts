// Files on the daemon's own disk that are not what they should be: cut short by a file system check, edited, replaced by a
// directory, a FIFO, a link that leads to itself, a file without an end. The daemon starts all the same, says what it could
// not use in its log and in `info`, and serves the rest.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf } from '../../mini-docker/images/testing/archives.ts';
import { post } from '../support/building.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

let daemon: TestDaemon;
let client: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  client = engineClient(daemon);
});
afterAll(() => daemon.stop());

const inData = (...path: string[]) => join(daemon.dataRoot, ...path);

/** Ends the daemon, does something to its disk, and starts it. */
async function meanwhile(change: () => void): Promise<void> {
  await daemon.end('SIGKILL');
  change();
  await daemon.begin();
}

const warnings = async () => (await client.json<{ Warnings: string[] }>('GET', '/info')).Warnings.join('\n');

/** Fifteen names of 255 bytes, and one that makes the path 4,080 bytes long from where an image is unpacked. */
const LONG = `${'d'.repeat(250)}/`.repeat(16) + 'f'.repeat(64);

test('an image with a path of 4,080 bytes is removed, and one that was cut off while it came hinders no start', async () => {
  const nested = (path: string) =>
    tarOf(
      ...Array.from(path.matchAll(/\//g), ({ index }) => ({
        path: path.slice(0, index),
        type: 'directory' as const,
      })),
      { path, content: 'x' },
    );
  expect((await post(daemon, '/images/create?fromSrc=-&repo=long', nested(LONG))).status).toBe(200);
  expect((await client.ask('GET', '/mini-docker/image-layers?name=long')).status).toBe(200);
  expect((await client.ask('DELETE', '/images/long')).status).toBe(200);
  expect(await post(daemon, '/images/create?fromSrc=-&repo=longer', nested(`${LONG}/${LONG}`))).toMatchObject(
    {
      status: 400,
      text: expect.stringContaining('its name is too long'),
    },
  );
  // As it lies there when a daemon is killed while it unpacks, or removes.
  await meanwhile(() => {
    deepTree(inData('images/tmp'), `${2 ** 22}-left`);
    deepTree(inData('containers'), `.removing-${'a'.repeat(64)}`);
    deepTree(inData('volumes'), '.removing-v');
    deepTree(inData('build/tmp'), 'left');
    deepTree(join(daemon.runDir, 'containers'), 'b'.repeat(64));
  });
  for (const directory of ['images/tmp', 'containers', 'volumes', 'build/tmp']) {
    expect(readdirSync(inData(directory)), directory).toEqual([]);
  }
  expect(readdirSync(join(daemon.runDir, 'containers'))).toEqual([]);
  expect(await warnings()).not.toContain('left over');
});

test('names (of attributes, too) that are not UTF-8 are copied, shown, committed, and go with what has them', async () => {
  const before = readdirSync(inData('images/layers')).length;
  const context = tarOf(
    { path: 'Dockerfile', content: 'FROM busybox\nCOPY . /copied\nRUN touch "/$(printf \'made\\376\')"\n' },
    { path: 'dir\udcff', type: 'directory' },
    {
      path: 'dir\udcff/file\udcfe',
      content: 'x',
      xattrs: new Map([['user.\udcfa', Buffer.from('attribute')]]),
    },
    { path: 'link\udcfd', type: 'symlink', linkname: 'dir\udcff' },
  );
  const { status, text } = await post(daemon, '/build?t=bytes', context);
  expect({ status, text }).toMatchObject({
    status: 200,
    text: expect.stringContaining('Successfully tagged'),
  });
  const script =
    'chmod 700 /copied/link*/file* && cat /copied/link*/file* && ls / | grep -c made && mkdir "/d$(printf \'\\377\')" && touch "/d$(printf \'\\377\')/x"';
  const id = await client.run(['sh', '-c', script], { Image: 'bytes' });
  expect(await client.wait(id)).toBe(0);
  expect(await client.logs(id)).toBe('x1\n');
  for (const path of [
    `/containers/${id}/changes`,
    `/containers/${id}/export`,
    '/mini-docker/image-layers?name=bytes',
    '/system/df',
  ])
    expect((await client.ask('GET', path)).status, path).toBe(200);
  expect((await client.ask('POST', `/commit?container=${id}&repo=bytes2`)).status).toBe(201);
  for (const archive of [`/containers/${id}/export`, '/images/bytes2/get']) {
    const { body } = await client.ask('GET', archive);
    expect(body.includes(Buffer.from('user.\xfa=attribute\n', 'latin1')), archive).toBe(true);
  }
  expect((await client.ask('DELETE', `/containers/${id}`)).status).toBe(204);
  for (const image of ['bytes2', 'bytes'])
    expect((await client.ask('DELETE', `/images/${image}?force=1`)).status).toBe(200);
  expect((await client.ask('POST', '/build/prune?all=1')).status).toBe(200);
  expect(readdirSync(inData('images/layers'))).toHaveLength(before);
  for (const directory of ['images/tmp', 'build/tmp', 'build/cache-mounts']) {
    expect(readdirSync(inData(directory)), directory).toEqual([]);
  }
  await expect.poll(() => readdirSync(inData('containers'))).toEqual([]);
});

test('a cache mount that is deeper than a path is long is pruned', async () => {
  deepTree(inData('build/cache-mounts'), 'c'.repeat(32));
  expect((await client.ask('POST', '/build/prune?all=1')).status).toBe(200);
  expect(readdirSync(inData('build/cache-mounts'))).toEqual([]);
});

/** 60 directories with long names, one in the other: their path has 12,000 bytes. */
function deepTree(directory: string, name: string): void {
  mkdirSync(join(directory, name));
  let fd = openSync(join(directory, name), 'r');
  for (let level = 0; level < 60; level++) {
    const next = `/proc/self/fd/${fd}/${'d'.repeat(200)}`;
    mkdirSync(next);
    const below = openSync(next, 'r');
    closeSync(fd);
    fd = below;
  }
  closeSync(fd);
}

const trap = {
  'cut short': path => truncateSync(path, 33),
  empty: path => truncateSync(path, 0),
  null: path => writeFileSync(path, 'null'),
  'of bytes without a meaning': path => writeFileSync(path, Buffer.from([0, 255, 254, 123, 34])),
  gone: path => rmSync(path),
  'a directory': path => {
    rmSync(path);
    mkdirSync(join(path, 'below'), { recursive: true });
  },
  'a FIFO': path => {
    rmSync(path);
    execFileSync('mkfifo', [path]);
  },
  'a link to itself': path => {
    rmSync(path);
    symlinkSync(basename(path), path);
  },
  'without an end': path => truncateSync(path, 2 ** 40),
} satisfies Record<string, (path: string) => void>;
type Trap = keyof typeof trap;
const TRAPS = Object.keys(trap) as Trap[];

test.each(TRAPS)('nothing is lost by files of state that are %s but what only they knew', async name => {
  const id = await client.run(['sleep', '1000'], { name: 'victim' });
  const other = await client.create(['true'], { name: 'other' });
  await client.json('POST', `/images/busybox/tag?repo=kept&tag=${name.length}`);
  await client.json('POST', '/networks/create', { Name: 'kept', Labels: { a: 'b' } });
  await client.json('POST', '/volumes/create', { Name: 'kept', Labels: { a: 'b' } });
  const { ID } = await client.json<{ ID: string }>('GET', '/info');
  const { Id } = await client.json<{ Id: string }>('GET', '/networks/kept');
  const files = [
    'images/oci/index.json',
    `networks/networks/${Id}.json`,
    'volumes/kept/volume.json',
    'engine-id',
    `containers/${id}/config.json`,
  ].map(each => inData(each));
  await meanwhile(() => {
    rmSync(inData('containers', id, 'config.json.last'), { force: true });
    for (const path of [...files, inData('build/steps.jsonl')]) trap[name](path);
  });
  const told = await warnings();
  for (const path of files.slice(0, 4)) expect(told).toContain(path);
  expect(told).toContain(id.slice(0, 12));

  const images = await client.json<{ RepoTags: string[] }[]>('GET', '/images/json');
  expect(images.flatMap(each => each.RepoTags)).toContain(`kept:${name.length}`);
  expect(await client.json('GET', '/networks/kept')).toMatchObject({ Id, Labels: { a: 'b' } });
  expect(await client.json('GET', '/volumes/kept')).toMatchObject({ Labels: { a: 'b' } });
  expect(await client.json('GET', '/info')).toMatchObject({ ID });

  // A container without a record is listed, inspected, stopped and removed.
  const all = await client.json<{ Id: string; State: string }[]>('GET', '/containers/json?all=1');
  expect(all.map(each => each.Id).sort()).toEqual([id, other].sort());
  expect(all.find(each => each.Id === id)).toMatchObject({ State: 'running' });
  expect((await client.inspect(id)).State).toMatchObject({ Status: 'running' });
  expect((await client.ask('POST', `/containers/${id}/stop?t=0`)).status).toBe(204);
  const { status, body } = await client.ask('POST', `/containers/${id}/start`);
  expect(status).toBe(409);
  expect(body.toString()).toContain('its record cannot be read');
  for (const path of [`/containers/${id}`, `/containers/${other}`, '/networks/kept', '/volumes/kept']) {
    expect((await client.ask('DELETE', path)).status, path).toBe(204);
  }
});

test('without any index the images are found, and called what containers call them', async () => {
  await client.json('POST', '/images/busybox/tag?repo=named');
  const id = await client.create(['true'], { Image: 'named' });
  await meanwhile(() => {
    for (const each of ['index.json', 'index.json.last']) rmSync(inData('images/oci', each), { force: true });
  });
  const images = await client.json<{ RepoTags: string[] }[]>('GET', '/images/json');
  expect(images.flatMap(each => each.RepoTags).sort()).toEqual(['busybox:latest', 'named:latest']);
  expect(await warnings()).toContain('index.json is lost');
  expect((await client.ask('DELETE', `/containers/${id}`)).status).toBe(204);
});

test('a record is taken from its last good copy', async () => {
  const id = await client.run(['sleep', '1000'], { name: 'twice', Labels: { a: 'b' } });
  const config = inData('containers', id, 'config.json');
  await expect.poll(() => existsSync(`${config}.last`)).toBe(true);
  await meanwhile(() => truncateSync(config, 100));
  const found = await client.json<{ Name: string; Config: { Labels: object } }>(
    'GET',
    `/containers/${id}/json`,
  );
  expect(found).toMatchObject({ Name: '/twice', Config: { Labels: { a: 'b' } } });
  expect((await client.ask('DELETE', `/containers/${id}?force=1`)).status).toBe(204);
});

const DIRECTORIES = [
  'containers',
  'volumes',
  'images/tmp',
  'images/layers',
  'images/oci/blobs',
  'networks/networks',
  'build/tmp',
  'build/cache-mounts',
  'init-layer/etc',
];

test('files in the places of directories are set aside', async () => {
  const paths = DIRECTORIES.map(each => inData(each));
  await meanwhile(() => {
    for (const path of paths) {
      execFileSync('mv', [path, `${path}.kept`]);
      writeFileSync(path, 'what is this');
    }
  });
  const told = await warnings();
  for (const path of paths) {
    expect(told).toContain(path);
    expect(readFileSync(`${path}.broken`, 'utf8')).toBe('what is this');
  }
  expect((await client.ask('GET', '/images/json')).status).toBe(200);
  expect((await client.ask('GET', '/containers/json')).status).toBe(200);
  await meanwhile(() => {
    for (const path of paths) {
      rmSync(path, { recursive: true });
      rmSync(`${path}.broken`);
      execFileSync('mv', [`${path}.kept`, path]);
    }
  });
});

test('names that are no names, sockets and files without an owner hinder no start', async () => {
  const strange = DIRECTORIES.map(each =>
    Buffer.concat([Buffer.from(`${inData(each)}/`), Buffer.from([0xff, 0x2f - 1, 0x80])]),
  );
  await meanwhile(() => {
    for (const path of strange) mkdirSync(path);
  });
  for (const path of [
    '/images/json',
    '/containers/json?all=1',
    '/volumes',
    '/networks',
    '/system/df',
    '/info',
  ]) {
    expect((await client.ask('GET', path)).status, path).toBe(200);
  }
  for (const path of ['/containers/prune', '/volumes/prune?filters={"all":["true"]}', '/build/prune?all=1'])
    expect((await client.ask('POST', path)).status, path).toBe(200);
  for (const path of strange) rmSync(path, { recursive: true, force: true });
});

test('a directory that cannot be removed is named, and the daemon starts', async ({ skip }) => {
  const path = inData('images/tmp', `${2 ** 22}-immutable`);
  writeFileSync(path, 'x');
  try {
    execFileSync('chattr', ['+i', path], { stdio: 'ignore' });
  } catch {
    rmSync(path);
    skip('the filesystem of temporary files knows no immutable files');
  }
  try {
    await meanwhile(() => {});
    expect(await warnings()).toContain(path);
  } finally {
    execFileSync('chattr', ['-i', path]);
  }
  await meanwhile(() => {});
  expect(existsSync(path)).toBe(false);
  expect(dirname(path)).toBe(inData('images/tmp'));
});

test.each(['gone', 'cut short'] as const)(
  'a running container whose record of networks is %s stays on them until it stops',
  async name => {
    for (const Name of ['front', 'back']) await client.json('POST', '/networks/create', { Name });
    const server = ['sh', '-c', 'mkdir /w; echo served >/w/f; exec httpd -f -p 80 -h /w'];
    const id = await client.run(server, {
      name: 'web',
      ExposedPorts: { '80/tcp': {} },
      HostConfig: {
        NetworkMode: 'front',
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8099' }] },
      },
    });
    await client.json('POST', '/networks/back/connect', {
      Container: id,
      EndpointConfig: { Aliases: ['shop'] },
    });
    const sharer = await client.run(['sleep', '1000'], { HostConfig: { NetworkMode: 'container:web' } });
    const alone = await client.run(['sleep', '1000'], { name: 'alone', HostConfig: { NetworkMode: 'none' } });
    const networks = async (of: string) =>
      (
        await client.json<{
          NetworkSettings: { Networks: Record<string, { IPAddress: string; EndpointID: string }> };
        }>('GET', `/containers/${of}/json`)
      ).NetworkSettings.Networks;
    const addressesOf = async (of: string) =>
      Object.entries(await networks(of)).map(([network, { IPAddress }]) => [network, IPAddress]);
    const before = await addressesOf(id);
    expect(before).toEqual([
      ['front', expect.any(String)],
      ['back', expect.any(String)],
    ]);
    const links = () => inNamespace('ip', '-br', 'link', 'show', 'type', 'veth').split('\n').filter(Boolean);
    expect(links()).toHaveLength(2);

    await meanwhile(() => {
      for (const each of [id, alone]) trap[name](join(daemon.runDir, 'connections', `${each}.json`));
    });
    expect(await warnings()).toContain(
      "the record of container web's networks is lost: the kernel still has front, back",
    );
    expect(await addressesOf(id)).toEqual(before);
    for (const [network, { EndpointID, IPAddress }] of Object.entries(await networks(id))) {
      const { Containers } = await client.json<{ Containers: object }>('GET', `/networks/${network}`);
      expect(Containers).toEqual({
        [id]: expect.objectContaining({ Name: 'web', EndpointID, IPv4Address: `${IPAddress}/16` }),
      });
      expect((await client.ask('DELETE', `/networks/${network}`)).status).toBe(403);
    }
    expect((await client.json<{ Containers: object }>('GET', '/networks/none')).Containers).toHaveProperty(
      alone,
    );
    expect(inNamespace('wget', '-qO-', 'http://127.0.0.1:8099/f')).toBe('served\n');
    const neighbour = await client.run(['wget', '-qO-', 'http://shop/f'], {
      HostConfig: { NetworkMode: 'back' },
    });
    expect(await client.wait(neighbour)).toBe(0);

    expect((await client.ask('POST', '/networks/front/disconnect', { Container: id })).status).toBe(200);
    expect(links()).toHaveLength(1);
    expect(await addressesOf(id)).toEqual(before.slice(1));
    for (const each of [sharer, neighbour, alone, id]) {
      expect((await client.ask('DELETE', `/containers/${each}?force=1`)).status).toBe(204);
    }
    await expect.poll(links).toEqual([]);
    for (const each of ['front', 'back'])
      expect((await client.ask('DELETE', `/networks/${each}`)).status).toBe(204);
  },
);

test('a running container of which no record is left keeps its address until it is removed', async () => {
  const id = await client.run(['sleep', '1000'], { HostConfig: { NetworkMode: 'bridge' } });
  const { IPAddress } = (await client.inspect(id)).NetworkSettings;
  await meanwhile(() => {
    rmSync(join(daemon.runDir, 'connections', `${id}.json`));
    for (const each of ['config.json', 'config.json.last'])
      rmSync(inData('containers', id, each), { force: true });
  });
  expect(await client.json('GET', '/networks/bridge')).toMatchObject({
    Containers: { [id]: { IPv4Address: `${IPAddress}/16` } },
  });
  const other = await client.run(['sleep', '1000'], { HostConfig: { NetworkMode: 'bridge' } });
  expect((await client.inspect(other)).NetworkSettings.IPAddress).not.toBe(IPAddress);
  for (const each of [id, other])
    expect((await client.ask('DELETE', `/containers/${each}?force=1`)).status).toBe(204);
  expect(await client.json('GET', '/networks/bridge')).toMatchObject({ Containers: {} });
});

const inNamespace = (...command: string[]) =>
  execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', ...command], { encoding: 'utf8' });
