// Clients that others wrote, each doing what its users do. Those of Debian run where they are installed.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { engineClient, eventually } from '../support/engine-client.ts';
import { dockerPython, hasProgram, hasRubyDocker } from '../support/foreign-clients.ts';

const HERE = import.meta.dirname;
let daemon: TestDaemon;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-foreign-'));
});
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});

/** What it printed, once it went well; rejects with all that it said. */
async function does(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    env: { PATH: process.env.PATH, HOME: scratch, DOCKER_HOST: daemon.host, ...env },
    timeout: 60_000,
  });
  return stdout;
}

describe.skipIf(dockerPython === undefined)('docker-py', () => {
  test.each(['ContainerTest', 'ExecTest', 'NetworkTest', 'VolumeTest', 'ImageTest', 'SystemTest'])(
    '%s of docker_py.py succeeds',
    async name => {
      await does(dockerPython!, ['-W', 'ignore', join(HERE, 'docker_py.py'), daemon.host, name]);
    },
    60_000,
  );
});

describe.skipIf(!hasRubyDocker)("ruby's docker-api", () => {
  test('runs, executes, attaches, copies, builds and cleans up', async () => {
    expect(await does('ruby', ['-W0', join(HERE, 'docker_api.rb'), daemon.host])).toBe('done\n');
  });
});

describe.skipIf(!hasProgram('docker-compose'))('docker-compose 1', () => {
  const file = join(HERE, 'compose/docker-compose.yml');
  const compose = (greeting: string, ...args: string[]) =>
    does('docker-compose', ['--no-ansi', '-p', 'scene', '-f', file, ...args], {
      GREETING: greeting,
      // It would let the command docker build, which may not be installed.
      COMPOSE_DOCKER_CLI_BUILD: '0',
    });

  test('up, a change that makes a container anew and keeps its volumes, and down', async () => {
    const engine = engineClient(daemon);
    const ids = async () => [await engine.inspect('scene_db_1'), await engine.inspect('scene_web_1')];
    const said = () =>
      eventually(
        () => engine.logs('scene_web_1'),
        text => text.endsWith('done\n'),
      );
    await compose('hello', 'up', '-d');
    const [db, web] = await ids();
    await said();
    await compose('changed', 'up', '-d');
    const [sameDb, newWeb] = await ids();
    expect(sameDb!.Id).toBe(db!.Id);
    expect(newWeb!.Id).not.toBe(web!.Id);
    const heard = await said();
    expect(heard.match(/^hello$/gm)).toHaveLength(3);
    expect(heard).toContain('1 packets received');
    expect(await compose('changed', 'port', 'web', '8080')).toMatch(/^0\.0\.0\.0:\d+\n$/);
    await compose('changed', 'down', '-v', '-t', '0', '--rmi', 'local');
    expect(await engine.json('GET', '/containers/json?all=1')).toEqual([]);
    const networks = await engine.json<{ Name: string }[]>('GET', '/networks');
    expect(networks.map(each => each.Name).sort()).toEqual(['bridge', 'host', 'none']);
  }, 60_000);
});

describe.skipIf(!hasProgram('skopeo'))('skopeo', () => {
  test('copies an image out of the daemon and in again, by the API 1.22', async () => {
    const directory = join(scratch, 'copied');
    const source = ['--src-daemon-host', daemon.host, 'docker-daemon:busybox:latest'];
    await does('skopeo', ['--insecure-policy', 'copy', ...source, `dir:${directory}`]);
    const target = ['--dest-daemon-host', daemon.host, `dir:${directory}`, 'docker-daemon:copied:1'];
    await does('skopeo', ['--insecure-policy', 'copy', ...target]);
    const engine = engineClient(daemon);
    const idOf = async (name: string) =>
      (await engine.json<{ Id: string }>('GET', `/images/${name}/json`)).Id;
    expect(await idOf('copied:1')).toBe(await idOf('busybox'));
  });
});
