// `network trace`: packets to and from a container, and the rules that they meet, also those of other programs.
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
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

test('a port that no program has is refused by the container, whose answer is seen', async () => {
  const address = await addressOf('web');
  const [asked, answer] = await traced('--port 81 --count 2', () => fetch(`http://${address}:81/`));
  expect(asked).toMatchObject({ flags: 'syn', end: { kind: 'sent', through: { of: 'container web' } } });
  expect(answer).toMatchObject({
    from: { port: 81, name: 'web' },
    flags: expect.stringContaining('rst'),
    end: { kind: 'host' },
  });
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

test('a drop by a rule that iptables has made is named, and so is a host without a route', async () => {
  await using _link = await upLink();
  inside('iptables', '-I', 'FORWARD', '-o', 'up0', '-p', 'icmp', '-j', 'DROP');
  const [packet] = await traced('--count 1', () => cli('exec web ping -c 1 -W 1 192.0.2.7'));
  expect(packet).toMatchObject({ protocol: 'icmp', from: { name: 'web' }, end: { kind: 'dropped' } });
  expect(packet!.steps.at(-1)).toMatchObject({ table: 'ip filter', chain: 'FORWARD', ours: false });
  expect(packet!.steps.at(-1)!.rule).toContain('oifname "up0"');
  nft('delete table ip filter');
  const [lost] = await traced('--count 1', () => cli('exec web ping -c 1 -W 1 198.51.100.7'));
  expect(lost).toMatchObject({
    from: { name: 'web' },
    to: { address: '198.51.100.7' },
    end: { kind: 'lost', why: 'this host has no route to 198.51.100.7' },
  });
});

/** A way out of the host, to 192.0.2.0/24. */
async function upLink(): Promise<AsyncDisposable> {
  inside('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
  for (const link of ['up0', 'up1']) inside('ip', 'link', 'set', link, 'up');
  inside('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'up0');
  return { [Symbol.asyncDispose]: async () => void inside('ip', 'link', 'del', 'up0') };
}

test('IPv6 is followed as IPv4 is', { tags: 'further' }, async () => {
  await does('network create --ipv6 six');
  await does('network connect six web');
  await does('run -d --name sixth --net six busybox sleep 1000');
  const packets = await traced('--count 4', () => does('exec sixth ping6 -c 3 -W 1 web'));
  const request = packets.find(each => each.from.name === 'sixth' && each.to.address.startsWith('fd'));
  expect(request).toMatchObject({
    protocol: 'ipv6-icmp',
    to: { name: 'web' },
    in: { of: 'container sixth' },
    end: { kind: 'sent', through: { of: 'container web' } },
  });
  await does('network disconnect six web');
  await does('rm -f sixth');
});

test('packets that come too fast are missed, and it says so', async () => {
  const child = spawn(NODE, [MAIN, 'network', 'trace', 'web'], {
    env: { ...process.env, DOCKER_HOST: daemon.host },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  await eventually(
    async () => tables(),
    text => text.includes('bridge mini-docker-trace'),
  );
  // While nft does not read, the kernel's queue of events fills.
  const monitor = Number(
    execFileSync('pgrep', ['-P', String(daemon.pid), '-x', 'nft'], { encoding: 'utf8' }),
  );
  process.kill(monitor, 'SIGSTOP');
  inside(NODE, '-e', FLOOD, await addressOf('web'));
  process.kill(monitor, 'SIGCONT');
  await eventually(
    async () => out,
    text => /^\(an unknown number of packets came too fast to be shown\)$/m.test(text),
  );
  child.kill();
  await eventually(
    async () => tables(),
    text => !text.includes('mini-docker-trace'),
  );
});

/** 20,000 datagrams, each of which makes some ten events. */
const FLOOD = `
  const socket = require('dgram').createSocket('udp4');
  let left = 20_000;
  const send = () => (left-- > 0 ? socket.send('x', 9, process.argv[1], send) : process.exit());
  send();`;

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

/** Pids of nft programs that watch in the daemon's network. */
function monitors(): string[] {
  const network = readlinkSync(`/proc/${daemon.namespaces}/ns/net`);
  return readdirSync('/proc').filter(pid => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return command.startsWith('nft\0monitor') && readlinkSync(`/proc/${pid}/ns/net`) === network;
    } catch {
      return false;
    }
  });
}

test('afterwards no rule and no program of it is left, and after a killed daemon neither', async () => {
  await eventually(
    async () => tables(),
    text => !text.includes('trace'),
  );
  const killed = cli('network trace web');
  await eventually(
    async () => tables(),
    text => text.includes('bridge mini-docker-trace'),
  );
  await expect.poll(monitors).toHaveLength(1);
  await daemon.end('SIGKILL');
  await expect.poll(monitors).toEqual([]);
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
  await expect.poll(monitors).toEqual([]);
});

test('a container without an address of its own is refused with the reason', async () => {
  await does('run -d --name hosted --net host busybox sleep 1000');
  expect(await cli('network trace hosted')).toMatchObject({
    code: 1,
    err: expect.stringContaining('has no address of its own to follow'),
  });
});
