// What `cp` means by a path, in Docker's words: https://docs.docker.com/reference/cli/docker/container/cp/. The values
// are those of dockerd 20.10 with the docker command.

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let running: string;

/** file F, d/x, d/sub/y; links: lf → f, ld → d, la → /s/d, lx → nothing. */
const TREE = `mkdir -p /s/d/sub; cd /s; echo F >f; echo X >d/x; echo Y >d/sub/y
ln -s f lf; ln -s d ld; ln -s /s/d la; ln -s gone lx; ln -s d/sub ls; touch /ready; exec sleep 1000`;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  running = await engine.run(['sh', '-c', TREE]);
  await eventually(
    () => archive('/ready'),
    ({ status }) => status === 200,
  );
}, 60_000);
afterAll(() => daemon.stop());

const archive = (path: string, container = running) =>
  engine.ask('GET', `/containers/${container}/archive?path=${encodeURIComponent(path)}`);

async function entries(path: string, container = running): Promise<string[]> {
  const { status, body } = await archive(path, container);
  expect([path, status]).toEqual([path, 200]);
  return execFileSync('tar', ['tP'], { input: body, encoding: 'utf8' }).trim().split('\n');
}

describe("an archive's entries are called as the path says", () => {
  const whole = (name: string) => [`${name}/`, `${name}/sub/`, `${name}/sub/y`, `${name}/x`];
  test.for([
    ['/s/d', whole('d')],
    ['s/d', whole('d')],
    ['/s/d/', whole('d')],
    ['/s/d/.', whole('.')],
    ['//s//d//.', whole('.')],
    ['/s/d/sub/..', whole('d')],
    ['/s/ld/', whole('ld')],
    ['/s/ld/.', whole('.')],
    ['/s/la/.', whole('.')],
    ['/s/ld', ['ld']],
    ['/s/lx', ['lx']],
    ['/s/f', ['f']],
    // A name is taken off before a link is followed.
    ['/s/ls/../f', ['f']],
  ] as const)('%s', async ([path, expected]) => {
    expect(await entries(path)).toEqual(expected);
  });

  test.for([
    ['/', '/bin/'],
    ['/..', '/bin/'],
    ['.', './bin/'],
    ['/.', './bin/'],
  ] as const)('%s, without what the kernel shows in /proc, /sys and /dev', async ([path, bin]) => {
    const names = await entries(path);
    expect(names).toContain(bin);
    const prefix = bin.slice(0, -4);
    expect(names.filter(name => /^\.?\/(proc|sys|dev)\//.test(name))).toEqual(
      ['dev/', 'proc/', 'sys/'].map(name => prefix + name),
    );
  });

  test.for(['/s/f/', '/s/f/.', '/s/lf/', '/s/lx/', '/s/none', '/s/none/.', '/s/f/x'])(
    '%s is not there',
    async path => {
      expect((await archive(path)).status).toBe(404);
    },
  );
});
