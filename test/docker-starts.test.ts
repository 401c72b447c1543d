// What dockerd accepts at create and refuses at the start, and requests that it takes from scripts with curl.

import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf } from '../mini-docker/images/testing/archives.ts';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
}, 60_000);
afterAll(() => daemon.stop());

const refusal = async (method: string, path: string, body?: object): Promise<string> => {
  const answer = await engine.ask(method, path, body);
  return `${answer.status} ${JSON.parse(answer.body.toString()).message}`;
};

test('a device that is missing is missed at the start: it may be plugged in by then', async () => {
  const Devices = [{ PathOnHost: '/dev/nope', PathInContainer: '/dev/nope', CgroupPermissions: 'rwm' }];
  const id = await engine.create(['true'], { HostConfig: { Devices } });
  expect(await refusal('POST', `/containers/${id}/start`)).toMatch(
    /^\d+ error gathering device information while adding custom device "\/dev\/nope": no such file or directory$/,
  );
  await engine.json('DELETE', `/containers/${id}`);
});

test('an address can be chosen in a subnet that was chosen, and in no other', async () => {
  const message =
    '400 user specified IP address is supported only when connecting to networks with user configured subnets';
  await engine.json('POST', '/networks/create', { Name: 'any' });
  const own = { Name: 'own', IPAM: { Config: [{ Subnet: '10.81.0.0/24' }] } };
  await engine.json('POST', '/networks/create', own);
  const at = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });
  const id = await engine.create(['sleep', '1000'], {
    HostConfig: { NetworkMode: 'any' },
    NetworkingConfig: { EndpointsConfig: { any: at('172.18.0.9') } },
  });
  expect(await refusal('POST', `/containers/${id}/start`)).toBe(message);
  const running = await engine.run(['sleep', '1000'], { HostConfig: { NetworkMode: 'bridge' } });
  const connect = (EndpointConfig: object) => ({ Container: running, EndpointConfig });
  expect(await refusal('POST', '/networks/any/connect', connect(at('172.18.0.9')))).toBe(message);
  await engine.json('POST', '/networks/own/connect', connect(at('10.81.0.9')));
  for (const each of [id, running]) await engine.json('DELETE', `/containers/${each}?force=1`);
  for (const each of ['any', 'own']) await engine.json('DELETE', `/networks/${each}`);
});

test('the runtimes that info lists are those that a container can ask for', async () => {
  const info = await engine.json<{ Runtimes: object; DefaultRuntime: string }>('GET', '/info');
  expect(Object.keys(info.Runtimes).sort()).toEqual(['io.containerd.runc.v2', 'mini-docker', 'runc']);
  for (const Runtime of Object.keys(info.Runtimes)) {
    const id = await engine.create(['true'], { HostConfig: { Runtime } });
    expect(await engine.json('GET', `/containers/${id}/json`)).toMatchObject({ HostConfig: { Runtime } });
    await engine.json('DELETE', `/containers/${id}`);
  }
});

test("curl --data-binary builds, with the content type that curl sends when it isn't told one", async () => {
  const context = tarOf({ path: 'Dockerfile', content: 'FROM busybox\nLABEL by=curl\n' });
  const text = await new Promise<string>((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': context.length,
      expect: '100-continue',
    };
    const path = '/build?t=by-curl';
    const asked = request({ socketPath: daemon.socket, method: 'POST', path, headers, agent: false });
    asked.on('response', async reply => resolve(Buffer.concat(await reply.toArray()).toString()));
    asked.on('error', reject).end(context);
  });
  expect(text).toContain('Successfully tagged by-curl:latest');
  await engine.json('DELETE', '/images/by-curl');
});

test('LastTagTime is the time of the latest tag of an image', async () => {
  const tagged = async (): Promise<number> => {
    const { Metadata } = await engine.json<{ Metadata: { LastTagTime: string } }>(
      'GET',
      '/images/busybox/json',
    );
    return Date.parse(Metadata.LastTagTime);
  };
  const before = Date.now();
  await engine.json('POST', '/images/busybox/tag?repo=again&tag=1');
  const first = await tagged();
  expect(first).toBeGreaterThanOrEqual(before - 1);
  expect(first).toBeLessThanOrEqual(Date.now());
  await expect
    .poll(async () => {
      await engine.json('POST', '/images/busybox/tag?repo=again&tag=1');
      return tagged();
    })
    .toBeGreaterThan(first);
  await engine.json('DELETE', '/images/again:1');
});

test('the logs since StartedAt begin with the first line of the program', async () => {
  for (let round = 0; round < 5; round++) {
    const id = await engine.run(['echo', 'first']);
    await engine.wait(id);
    const { State } = await engine.inspect(id);
    const log = await engine.logs(id, `stdout=1&timestamps=1`);
    expect(log.slice(0, State.StartedAt.length) >= State.StartedAt, `${log} ${State.StartedAt}`).toBe(true);
    await engine.json('DELETE', `/containers/${id}`);
  }
});

test('a working directory that is none is refused: at create, and by exec', async () => {
  const before = await engine.json<object[]>('GET', '/containers/json?all=1');
  const HostConfig = { Binds: ['of-nothing:/v'] };
  const body = { Image: 'busybox', Cmd: ['true'], WorkingDir: '/bin/busybox', HostConfig };
  expect(await refusal('POST', '/containers/create', body)).toBe(
    '400 Cannot mkdir: /bin/busybox is not a directory',
  );
  expect(await engine.json('GET', '/containers/json?all=1')).toHaveLength(before.length);
  expect(await engine.json('GET', '/volumes')).toMatchObject({ Volumes: [] });
  const id = await engine.run(['sleep', '1000']);
  const exec = { Cmd: ['true'], WorkingDir: '/nosuch' };
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, exec);
  expect(await refusal('POST', `/exec/${Id}/start`, { Detach: true })).toMatch(
    /exec failed: unable to start container process: chdir to cwd \("\/nosuch"\) set in config.json failed: no such file or directory$/,
  );
  await engine.json('DELETE', `/containers/${id}?force=1`);
});
