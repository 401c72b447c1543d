// Parts of volumes and whole images as mounts: --mount type=volume,volume-subpath=PATH and --mount type=image,
// with the answers of moby 28, which has them.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTarReader } from '../mini-docker/formats/tar/reader.ts';
import { tarOf } from '../mini-docker/images/testing/archives.ts';
import { buildOf, post } from './support/building.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  const script =
    'cd /v && echo foo > bar.txt && mkdir bin subdir hack && echo world > subdir/hello.txt && ' +
    'ln -s / hack/root && ln -s ../subdir hack/good && ln -s root hack/bad';
  const id = await engine.run(['sh', '-c', script], { HostConfig: { Binds: ['vol:/v'] } });
  expect(await engine.wait(id)).toBe(0);
  await engine.json('DELETE', `/containers/${id}`);
  const files = { f: 'first\n', 'd/in/hello': 'world\n' };
  const made = 'FROM scratch\nCOPY f /\nCOPY d /d\n';
  const { error } = await buildOf(daemon, { ...files, Dockerfile: made }, 't=two');
  expect(error).toBe(undefined);
  await post(
    daemon,
    '/images/create?fromSrc=-&repo=one',
    tarOf({ path: 'f', content: 'alone\n' }, { path: 'out', type: 'symlink', linkname: '/' }),
  );
}, 60_000);
afterAll(() => daemon.stop());

/** The output of a command with this mount at /m, and its exit code; or the daemon's refusal. */
async function outcome(mount: object, cmd: string[]): Promise<string> {
  const Mounts = [{ Target: '/m', ...mount }];
  const body = { Image: 'busybox', Cmd: cmd, HostConfig: { NetworkMode: 'none', Mounts } };
  const created = await engine.ask('POST', '/containers/create', body);
  const { Id, message } = JSON.parse(created.body.toString());
  if (created.status !== 201) return `create ${created.status}: ${message}`;
  try {
    const started = await engine.ask('POST', `/containers/${Id}/start`);
    if (started.status >= 400) return `start: ${JSON.parse(started.body.toString()).message}`;
    const code = await engine.wait(Id);
    return `${await engine.logs(Id)}${code === 0 ? '' : code}`;
  } finally {
    await engine.json('DELETE', `/containers/${Id}`);
  }
}

describe('a part of a volume', () => {
  const part = (Subpath: string, more: object = {}) => ({
    Type: 'volume',
    Source: 'vol',
    VolumeOptions: { Subpath },
    ...more,
  });

  test.for<[subpath: string, cmd: string[], expected: string | RegExp]>([
    ['subdir', ['ls', '/m'], 'hello.txt\n'],
    ['hack/good', ['ls', '/m'], 'hello.txt\n'],
    ['bar.txt', ['cat', '/m'], 'foo\n'],
    ['subdir', ['sh', '-c', 'echo new > /m/new; rm /m/new; echo $?'], '0\n'],
    ['hack/root', ['ls', '/m'], 'start: path concatenation escapes the base directory'],
    ['hack/bad', ['ls', '/m'], 'start: path concatenation escapes the base directory'],
    ['not/there', ['ls', '/m'], /^start: cannot access path .*\/not\/there: no such file or directory$/],
    ['../etc', ['ls', '/m'], /^create 400: .* subpath must be a relative path within the volume$/],
    ['/etc', ['ls', '/m'], /^create 400: .* subpath must be a relative path within the volume$/],
  ])('%s: %j', async ([subpath, cmd, expected]) => {
    const found = await outcome(part(subpath), cmd);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });

  test('is filled from the image, is read-only where that is asked, and is found by cp', async () => {
    expect(await outcome(part('bin', { Target: '/bin' }), ['/bin/busybox', 'ls', '/bin/busybox'])).toBe(
      '/bin/busybox\n',
    );
    expect(await outcome(part('subdir', { ReadOnly: true }), ['touch', '/m/x'])).toContain('Read-only');
    const HostConfig = {
      Mounts: [
        { Target: '/m', ...part('subdir') },
        { Target: '/n', ...part('bar.txt') },
      ],
    };
    const id = await engine.create(['true'], { HostConfig });
    for (const [path, content] of [
      ['/m/hello.txt', 'world\n'],
      ['/n', 'foo\n'],
    ])
      expect((await engine.ask('GET', `/containers/${id}/archive?path=${path}`)).body.toString()).toContain(
        content,
      );
    await engine.json('DELETE', `/containers/${id}`);
  });

  test('of a volume without a name there is none', async () => {
    expect(await outcome(part('x', { Source: '' }), ['true'])).toBe(
      'create 400: invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
    );
  });
});

describe('an image', () => {
  const image = (Source: string, Subpath?: string) => ({
    Type: 'image',
    Source,
    ...(Subpath && { ImageOptions: { Subpath } }),
  });

  test.for<[mount: object, cmd: string[], expected: string | RegExp]>([
    [image('two'), ['cat', '/m/f', '/m/d/in/hello'], 'first\nworld\n'],
    [image('one'), ['cat', '/m/f'], 'alone\n'],
    [image('two', 'd/in'), ['ls', '/m'], 'hello\n'],
    [image('two', 'd/in/hello'), ['cat', '/m'], 'world\n'],
    [image('one', 'out'), ['true'], 'start: path concatenation escapes the base directory'],
    [image('one', 'f'), ['cat', '/m'], 'alone\n'],
    [image('two'), ['touch', '/m/x'], /Read-only file system/],
    [image('one'), ['touch', '/m/x'], /Read-only file system/],
    [image('two', 'nope'), ['true'], /^start: cannot access path .*nope: no such file or directory$/],
    [image('two', '../x'), ['true'], /subpath must be a relative path within the volume$/],
    [image('nowhere'), ['true'], 'create 404: No such image: nowhere:latest'],
    [
      image(''),
      ['true'],
      'create 400: invalid mount config for type "image": field Source must not be empty',
    ],
    [
      { ...image('one'), VolumeOptions: { NoCopy: true } },
      ['true'],
      'create 400: invalid mount config for type "image": field VolumeOptions must not be specified',
    ],
  ])('%j %j', async ([mount, cmd, expected]) => {
    const found = await outcome(mount, cmd);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });

  test('is in use while a container mounts it, and the host sees nothing of it', async () => {
    const Mounts = [{ ...image('two'), Target: '/m' }];
    const id = await engine.run(['sleep', '1000'], { HostConfig: { Mounts } });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(daemon.dataRoot);
    const { State } = await engine.inspect(id);
    expect(readFileSync(`/proc/${State.Pid}/mountinfo`, 'utf8')).toMatch(/ \/m ro,\S* .*overlay/);
    const { status, body } = await engine.ask('DELETE', '/images/two');
    expect(`${status} ${body}`).toMatch(/^409 .*container [0-9a-f]{12} is using its referenced image/);
    expect(await engine.json('GET', `/containers/${id}/json`)).toMatchObject({
      Mounts: [{ Type: 'image', Name: 'two', Destination: '/m', RW: false }],
    });
    await engine.json('DELETE', `/containers/${id}?force=1`);
  });
});

describe('an archive of a container that never ran', () => {
  test('has the mounts below its path, and their places are in the container from then on', async () => {
    const HostConfig = { Binds: ['vol:/nn/sub', `${daemon.dataRoot}/../docs:/nn/docs`, '/etc/hosts:/nn/f'] };
    const id = await engine.create(['true'], { HostConfig });
    const entries = async (path: string): Promise<string[]> => {
      const { status, body } = await engine.ask('GET', `/containers/${id}/archive?path=${path}`);
      expect(status).toBe(200);
      const found: string[] = [];
      const reader = createTarReader({
        entry: each => void found.push(each.path.replace(/^\.?\//, '')),
        data() {},
        end() {},
      });
      reader.write(body);
      return found;
    };
    expect(await entries('/nn')).toEqual(
      expect.arrayContaining(['nn', 'nn/f', 'nn/sub', 'nn/sub/bar.txt', 'nn/sub/subdir/hello.txt']),
    );
    expect(await entries('/nn/.')).toContain('sub/bar.txt');
    expect(await entries('/')).toContain('nn/sub/bar.txt');
    expect(await engine.json('GET', `/containers/${id}/changes`)).toEqual([
      { Kind: 1, Path: '/nn' },
      { Kind: 1, Path: '/nn/f' },
      { Kind: 1, Path: '/nn/sub' },
    ]);
    await engine.json('POST', `/containers/${id}/start`);
    expect(await engine.wait(id)).toBe(0);
    expect(await entries('/nn')).toContain('nn/docs');
    await engine.json('DELETE', `/containers/${id}`);
  });
});
