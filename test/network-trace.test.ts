// `network trace`: packets to and from a container, and the rules that they meet, also those of other programs.
import { execFileSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TracedPacket } from '../mini-docker/formats/network-trace.ts';
import { commandLines } from './support/command-lines.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { eventually } from './support/engine-client.ts';

let daemon: TestDaemon;
const { does, cli } = commandLines(() => daemon)[0]!;
const inside = (...words: string[]) =>
  execFileSync('nsenter', ['-t', String(daemon.namespaces), '-n', ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
const nft = (...words: string[]) => inside('nft', ...words);
const tables = () => nft('list', 'tables');

beforeAll(async () => {
  daemon = await startDaemon();
  await does('network create front');
  await does(['run', '-d', '--name', 'web', '-p', '8080:80', '--net', 'front', 'busybox', 'sh', '-c', SERVE]);
  await does('run -d --name other --net front busybox sleep 1000');
  await does('run -d --name far busybox sleep 1000');
});
afterAll(() => daemon.stop());

const SERVE = 'while :; do echo hi | nc -l -p 80; done';
const addressOf = async (name: string, network = 'front') =>
  (
    await does(['inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name])
  ).trim();

/** The packets that are seen while `work` runs, as the command prints them with --json. */
async function traced(flags: string, work: () => Promise<unknown> | unknown): Promise<TracedPacket[]> {
  const args = [MAIN, 'network', 'trace', '--json', ...flags.split(' '), 'web'];
  const child = spawn(NODE, args, {
    env: { ...process.env, DOCKER_HOST: daemon.host },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  const ended = new Promise(resolve => child.once('close', resolve));
  await eventually(
    async () => tables(),
    text => text.includes('mini-docker-trace') && text.includes('bridge'),
  );
  await work();
  await ended;
  return out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
}

const fetch = (...options: string[]) => {
  try {
    inside('curl', '-s', '-m', '1', ...options);
  } catch {
    // The packet is what counts.
  }
};

test('a request to a published port is followed through its translation to the cable', async () => {
  const web = await addressOf('web');
  const [packet] = await traced('--port 80 --count 1', () => fetch('http://127.0.0.1:8080/'));
  expect(packet).toMatchObject({
    protocol: 'tcp',
    to: { address: '127.0.0.1', port: 8080 },
    flags: 'syn',
    end: { kind: 'sent', through: { of: 'container web' } },
  });
  const translation = packet!.steps.find(step => step.becomes !== undefined)!;
  expect(translation).toMatchObject({ ours: true, becomes: { to: { address: web, port: 80, name: 'web' } } });
});

test('a drop by a rule of another program is named', async () => {
  nft('add table ip guard');
  nft('add chain ip guard out { type filter hook output priority 10 ; }');
  nft('add rule ip guard out tcp dport 80 drop comment "nobody browses"');
  try {
    const address = await addressOf('web');
    const run = cli('network trace --port 80 --count 1 web');
    await eventually(
      async () => tables(),
      text => text.includes('bridge mini-docker-trace'),
    );
    fetch(`http://${address}/`);
    const { out } = await run;
    expect(out).toMatch(/^✗ tcp .* → .*:80 \(web\), syn\n {4}begins on the host\n/);
    expect(out).toContain("ip guard out (another program's): tcp dport 80 drop");
    expect(out).toContain('dropped by a rule of another program: ip guard out\n');
  } finally {
    nft('delete table ip guard');
  }
});

test('what goes from container to container on one bridge is seen', async () => {
  const [packet] = await traced('--count 1', () => does('exec other ping -c 1 -W 1 web'));
  expect(packet).toMatchObject({
    from: { name: 'other' },
    to: { name: 'web' },
    in: { of: 'container other' },
    end: { kind: 'sent', through: { of: 'container web' } },
  });
});

test('a packet from another network is dropped by mini-docker, and it says so', async () => {
  const web = await addressOf('web');
  const [packet] = await traced('--count 1', () => cli(`exec far ping -c 1 -W 1 ${web}`));
  expect(packet).toMatchObject({ from: { name: 'far' }, to: { name: 'web' }, end: { kind: 'dropped' } });
  expect(packet!.steps.at(-1)).toMatchObject({ ours: true, verdict: 'drop' });
});

test('two traces at once see the packets of their own containers, and not the rules of each other', async () => {
  const ofFar = cli('network trace --json --count 1 far');
  const ofWeb = await traced('--count 2', async () => {
    await eventually(
      async () => tables(),
      text => text.split('bridge mini-docker-trace').length === 3,
    );
    await does('exec other ping -c 1 -W 1 web');
    await cli('exec far ping -c 1 -W 1 192.0.2.1');
  });
  for (const { from, to } of ofWeb) expect([from.name, to.name]).toContain('web');
  const far = JSON.parse((await ofFar).out);
  expect([far.from.name, far.to.name]).toContain('far');
  expect(JSON.stringify([far, ofWeb])).not.toContain('mini-docker-trace');
});

test('a trace ends with its container', async () => {
  await does('run -d --name brief busybox sleep 1000');
  const over = cli('network trace brief');
  await eventually(
    async () => tables(),
    text => text.includes('bridge mini-docker-trace'),
  );
  await does('rm -f brief');
  expect(await over).toMatchObject({ code: 0 });
});

test('afterwards no rule of it is left, and after a killed daemon neither', async () => {
  await eventually(
    async () => tables(),
    text => !text.includes('trace'),
  );
  const killed = cli('network trace web');
  await eventually(
    async () => tables(),
    text => text.includes('bridge mini-docker-trace'),
  );
  await daemon.end('SIGKILL');
  await killed;
  await daemon.begin();
  const [leftover = ''] = /mini-docker-trace-\w+/.exec(tables()) ?? [];
  await traced('--count 1', async () => {
    await eventually(
      async () => tables(),
      text => !text.includes(leftover) && text.includes('bridge mini-docker-trace'),
    );
    await does('exec other ping -c 1 -W 1 web');
  });
  await eventually(
    async () => tables(),
    text => !text.includes('trace'),
  );
});

test('a container without an address of its own is refused with the reason', async () => {
  await does('run -d --name hosted --net host busybox sleep 1000');
  expect(await cli('network trace hosted')).toMatchObject({
    code: 1,
    err: expect.stringContaining('has no address of its own to follow'),
  });
});
