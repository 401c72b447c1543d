// Clients from npm, which bin/setup long installs in .cache/clients: testcontainers and the devcontainer command.
// Both find a Docker daemon by DOCKER_HOST, and need nothing from a registry of images.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE, startDaemon, type TestDaemon } from '../support/daemon.ts';
import { engineClient } from '../support/engine-client.ts';
import { hasNpmClient, hasProgram, NPM_CLIENTS } from '../support/foreign-clients.ts';

let daemon: TestDaemon;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-npm-clients-'));
});
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});

/** Runs it where the daemon's ports are. */
async function does(...command: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: scratch,
    DOCKER_HOST: daemon.host,
    DOCKER_BUILDKIT: '0',
    // Its janitor is an image of Docker Hub.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1',
  };
  const inside = ['-t', String(daemon.namespaces), '-n', ...command];
  const { stdout } = await promisify(execFile)('nsenter', inside, {
    env,
    cwd: NPM_CLIENTS,
    timeout: 150_000,
  });
  return stdout;
}

const SCENE = (context: string) => `
import { GenericContainer, Network, Wait } from 'testcontainers';
const network = await new Network().start();
const web = await new GenericContainer('busybox:latest')
  .withCommand(['sh', '-c', 'mkdir -p /w; echo hi > /w/index.html; echo ready; httpd -f -p 8080 -h /w'])
  .withExposedPorts(8080).withNetwork(network).withNetworkAliases('web').withEnvironment({ A: 'b' })
  .withCopyContentToContainer([{ content: 'copied', target: '/copied' }])
  .withTmpFs({ '/t': 'rw,size=1m' }).withWaitStrategy(Wait.forLogMessage('ready')).start();
const copied = await web.exec(['cat', '/copied']);
const asked = await web.exec(['sh', '-c', 'echo $A; wget -qO- http://web:8080/; exit 4']);
const page = await (await fetch('http://127.0.0.1:' + web.getMappedPort(8080))).text();
// Waits for a line that is printed after the new StartedAt.
await web.restart();
await web.stop();
await network.stop();
const image = await GenericContainer.fromDockerfile(${JSON.stringify(context)}).withBuildArgs({ X: '1' })
  .build('of-testcontainers:1', { deleteOnExit: false });
const once = await image.withWaitStrategy(Wait.forOneShotStartup()).start();
await once.stop();
console.log(JSON.stringify([copied.output, asked.exitCode, asked.output, page]));`;

test.skipIf(!hasNpmClient('testcontainers'))(
  'testcontainers starts, reaches, restarts, builds and cleans up',
  async () => {
    const context = join(scratch, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nARG X\nRUN echo $X > /x\nCMD ["cat", "/x"]\n');
    const said = await does(NODE, '--input-type=module', '-e', SCENE(context));
    expect(JSON.parse(said)).toEqual(['copied', 4, 'b\nhi\n', 'hi\n']);
    expect(await engineClient(daemon).json('GET', '/containers/json?all=1')).toEqual([]);
  },
  160_000,
);

test.skipIf(!hasNpmClient('@devcontainers/cli') || !hasProgram('docker'))(
  'devcontainer up builds the Dockerfile, starts the container and runs the commands in it',
  async () => {
    const folder = join(scratch, 'workspace');
    mkdirSync(join(folder, '.devcontainer'), { recursive: true });
    const settings = {
      build: { dockerfile: 'Dockerfile', args: { V: '7' } },
      remoteUser: 'root',
      updateRemoteUserUID: false,
      postCreateCommand: 'echo created > /tmp/created',
      containerEnv: { CE: 'set' },
      runArgs: ['--init'],
    };
    writeFileSync(join(folder, '.devcontainer/devcontainer.json'), JSON.stringify(settings));
    writeFileSync(
      join(folder, '.devcontainer/Dockerfile'),
      'FROM busybox AS base\nARG V\nFROM base AS dev\nARG V\nRUN echo $V > /v\n',
    );
    const cli = (...args: string[]) =>
      does(NODE, join(NPM_CLIENTS, 'node_modules/.bin/devcontainer'), ...args, '--workspace-folder', folder);
    const up = await cli('up', '--buildkit', 'never');
    const { outcome, containerId } = JSON.parse(up.trim().split('\n').at(-1)!);
    expect(outcome).toBe('success');
    const env = ['exec', '--workspace-folder', folder, 'sh', '-c', 'cat /v /tmp/created; echo $CE'];
    const said = await does(NODE, join(NPM_CLIENTS, 'node_modules/.bin/devcontainer'), ...env);
    expect(said).toBe('7\ncreated\nset\n');
    await engineClient(daemon).json('DELETE', `/containers/${containerId}?force=1&v=1`);
  },
  160_000,
);
