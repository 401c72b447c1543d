import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonOptions } from './options.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mini-docker-options-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function withFile(config: unknown, flags: string[] = []) {
  const path = join(directory, 'daemon.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return daemonOptions(['--config-file', path, ...flags], {});
}

test('flags come before the environment, and that before the defaults', () => {
  expect(daemonOptions([], {})).toEqual({
    dataRoot: '/var/lib/mini-docker',
    runDir: '/run/mini-docker',
    hosts: ['unix:///run/mini-docker/mini-docker.sock'],
    debug: false,
    registries: {},
  });
  const env = { MINI_DOCKER_DATA_ROOT: '/d', MINI_DOCKER_RUN_DIR: '/r' };
  expect(daemonOptions([], env)).toMatchObject({
    dataRoot: '/d',
    runDir: '/r',
    hosts: ['unix:///r/mini-docker.sock'],
  });
  expect(
    daemonOptions(['--data-root', '/x', '-H', 'unix:///a', '--host=tcp://127.0.0.1:1'], env),
  ).toMatchObject({
    dataRoot: '/x',
    runDir: '/r',
    hosts: ['unix:///a', 'tcp://127.0.0.1:1'],
  });
});

test('a wrong command line is one clear line', () => {
  expect(() => daemonOptions(['--nope'], {})).toThrow("Unknown option '--nope'");
  expect(() => daemonOptions(['surplus'], {})).toThrow(/surplus/);
  expect(() => daemonOptions(['--data-root', 'relative'], {})).toThrow(
    '--data-root must be an absolute path',
  );
});

test("daemon.json has dockerd's names", () => {
  const config = {
    'data-root': '/data',
    hosts: ['unix:///x'],
    debug: true,
    'registry-mirrors': ['https://mirror.example'],
    'insecure-registries': ['registry.lan:5000', '10.0.0.0/8'],
    'max-concurrent-downloads': 6,
    'max-concurrent-uploads': 1,
  };
  expect(withFile(config)).toEqual({
    dataRoot: '/data',
    runDir: '/run/mini-docker',
    hosts: ['unix:///x'],
    debug: true,
    registries: {
      mirrors: ['https://mirror.example'],
      insecure: ['registry.lan:5000', '10.0.0.0/8'],
      maxDownloads: 6,
      maxUploads: 1,
    },
  });
  expect(withFile('').registries).toEqual({});
  const flags = [
    '--registry-mirror',
    'http://a',
    '--insecure-registry=b',
    '-D',
    '--max-concurrent-uploads=2',
  ];
  expect(withFile({}, flags)).toMatchObject({
    debug: true,
    registries: { mirrors: ['http://a'], insecure: ['b'], maxUploads: 2 },
  });
});

test('a wrong daemon.json is one clear line with its path', () => {
  for (const [config, message] of [
    ['{', 'daemon.json: it is not JSON'],
    [{ 'insecure-registry': [] }, 'did you mean insecure-registries?'],
    [{ debug: 'yes' }, 'debug must be true or false'],
    [{ 'registry-mirrors': ['mirror'] }, 'is not the URL of a mirror'],
    [{ 'insecure-registries': ['http://x'] }, 'neither a host'],
    [{ 'max-concurrent-downloads': 0 }, 'must be at least 1'],
  ] as const) {
    expect(() => withFile(config), message).toThrow(message);
  }
  expect(() => withFile({ debug: true }, ['-D'])).toThrow('debug is in the configuration file');
  expect(() => daemonOptions(['--config-file', join(directory, 'none')], {})).toThrow(
    'cannot read the configuration: ENOENT',
  );
});

test("TLS has docker's files where none are named, and checks clients with --tlsverify", () => {
  expect(daemonOptions(['--tls'], { HOME: '/h' }).tls).toEqual({
    cert: '/h/.docker/cert.pem',
    key: '/h/.docker/key.pem',
  });
  const env = { DOCKER_CERT_PATH: '/c' };
  expect(withFile({ tlsverify: true, tlskey: '/k' }).tls).toMatchObject({ key: '/k' });
  expect(daemonOptions(['--tlsverify', '--tlscert', '/mine'], env).tls).toEqual({
    cert: '/mine',
    key: '/c/key.pem',
    clientCa: '/c/ca.pem',
  });
  expect(daemonOptions(['--tlskey', '/k'], env).tls).toBeUndefined();
});
