// npm run bench [-- PART…]: compares speed and size with the installed ones of docker, podman and runc, in
// one run.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execute } from './execute.ts';
import { archives, builds, commits, pulls } from './images.ts';
import { inTurns, report } from './measure.ts';
import { processes, residentKilobytes } from './memory.ts';
import { networkThroughput } from './network.ts';
import { busyboxRoot, docker, miniDocker, type Peer, podman, runcBundle } from './peers.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 20);
const many = Number(process.env.BENCH_CONTAINERS ?? 200);

function runs(peer: Peer, ...args: string[]) {
  return { name: peer.name, once: () => execute([...peer.command, ...args], peer.env) };
}

/** One keep-alive connection, such as a program that drives the API would have. */
function apiClient(socketPath: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const call = request({ socketPath, agent, method, path: `/v1.41${path}`, headers }, response => {
        let answer = '';
        response.setEncoding('utf8').on('data', data => {
          answer += data;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer}`));
          else resolve(answer === '' ? {} : JSON.parse(answer));
        });
      });
      call.on('error', reject);
      call.end(text);
    });
}

function lifeOverApi(peer: Peer) {
  const call = apiClient(peer.socket!);
  return {
    name: peer.name,
    async once() {
      const { Id } = await call('POST', '/containers/create', {
        Image: 'busybox',
        Cmd: ['true'],
        HostConfig: { NetworkMode: 'none' },
      });
      await call('POST', `/containers/${Id}/start`);
      await call('POST', `/containers/${Id}/wait`);
      await call('DELETE', `/containers/${Id}`);
    },
  };
}

async function costOfIdle(peer: Peer, helper: RegExp): Promise<void> {
  const names = Array.from({ length: 10 }, (_, index) => `idle-${index}`);
  const before = new Set(processes().map(({ pid }) => pid));
  for (const name of names) {
    await execute(
      [...peer.command, 'run', '-d', '--net', 'none', '--name', name, 'busybox', 'sleep', '1000'],
      peer.env,
    );
  }
  const fresh = processes().filter(({ pid }) => !before.has(pid));
  const helpers = fresh.filter(({ name }) => helper.test(name));
  const own = fresh.filter(({ name }) => name === 'sleep');
  const mean = (list: typeof fresh) => list.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / names.length;
  console.log(
    `  ${peer.name.padEnd(24)} helpers ${mean(helpers).toFixed(0)} KB, its program ${mean(own).toFixed(0)} KB`,
  );
  await execute([...peer.command, 'rm', '-f', ...names], peer.env);
}

async function manyAtOnce(peer: Peer): Promise<void> {
  const before = new Set(processes().map(({ pid }) => pid));
  const begin = performance.now();
  const names = Array.from({ length: many }, (_, index) => `many-${index}`);
  for (const name of names) {
    await execute([...peer.command, 'run', '-d', '--name', name, 'busybox', 'sleep', '1000'], peer.env);
    if (name === 'many-99') {
      const busy = residentKilobytes(peer.pid!);
      await pause(5000);
      const idle = residentKilobytes(peer.pid!);
      console.log(
        `  daemon with 100 running: ${(busy / 1024).toFixed(1)} MB, after five idle seconds ${(idle / 1024).toFixed(1)} MB`,
      );
    }
  }
  const running = execFileSync(peer.command[0]!, ['ps', '-q'], { env: peer.env, encoding: 'utf8' });
  const started = performance.now();
  console.log(
    `  ${many} started one after another in ${((started - begin) / 1000).toFixed(1)} s; running: ${running.trim().split('\n').length}`,
  );
  await execute([...peer.command, 'rm', '-f', ...names], peer.env);
  console.log(`  removed in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const left = processes().filter(
    ({ name, pid }) => name === 'mini-docker-monitor' && !before.has(pid),
  ).length;
  console.log(`  monitors left: ${left}`);
}

const root = busyboxRoot();
const ours = await miniDocker();
const dockerd = await docker(root);
const podmanPeer = podman(root);
const bundle = runcBundle(root);
const daemons = [ours, ...(dockerd === undefined ? [] : [dockerd])];
const node = { name: 'node -e 0', once: () => execute([process.execPath, '-e', '0']) };

async function runParts(): Promise<void> {
  report(
    'run --rm busybox true, default network',
    await inTurns([...daemons.map(peer => runs(peer, 'run', '--rm', 'busybox', 'true')), node], rounds),
  );
  const bare = [...daemons, ...(podmanPeer === undefined ? [] : [podmanPeer])];
  const withoutNetwork = [
    ...bare.map(peer => runs(peer, 'run', '--rm', '--net', 'none', 'busybox', 'true')),
    ...(bundle === undefined
      ? []
      : [{ name: 'runc', once: () => execute(['runc', 'run', '-b', bundle, 'mini-docker-bench']) }]),
    node,
  ];
  report('run --rm --net none busybox true', await inTurns(withoutNetwork, rounds));
}

/** The runtimes alone, with the same bundle. */
async function runtimes(): Promise<void> {
  if (bundle === undefined) return;
  const own = resolve(import.meta.dirname, '../bin/mini-docker-runtime');
  const once = (program: string) => () => execute([program, 'run', '-b', bundle, 'mini-docker-bench']);
  const contestants = [
    { name: 'mini-docker-runtime', once: once(own) },
    { name: 'runc', once: once('runc') },
    node,
  ];
  report('run of a bundle', await inTurns(contestants, rounds));
}

async function execs(): Promise<void> {
  for (const peer of daemons)
    await execute([...peer.command, 'run', '-d', '--name', 'target', 'busybox', 'sleep', '1000'], peer.env);
  report(
    'exec target true',
    await inTurns(
      daemons.map(peer => runs(peer, 'exec', 'target', 'true')),
      rounds,
    ),
  );
  for (const peer of daemons) await execute([...peer.command, 'rm', '-f', 'target'], peer.env);
}

async function memory(): Promise<void> {
  console.log('\nresident memory of one running idle container');
  await costOfIdle(ours, /mini-docker-monitor/);
  if (dockerd !== undefined) await costOfIdle(dockerd, /containerd-shim|docker-proxy/);
  console.log(
    `  daemons: ${daemons.map(({ name, pid }) => `${name} ${(residentKilobytes(pid!) / 1024).toFixed(1)} MB`).join(', ')}`,
  );
}

/** Rounds for measurements that take seconds. */
const few = Math.ceil(rounds / 4);
const parts: Record<string, () => Promise<void>> = {
  run: runParts,
  // The daemon has run for a while, so its code is compiled.
  api: async () =>
    report(
      'create, start, wait, remove over the API',
      await inTurns(daemons.map(lifeOverApi), rounds * 4, 30),
    ),
  exec: execs,
  runtime: runtimes,
  network: () => networkThroughput(daemons, 5),
  build: () => builds(daemons, few),
  archives: () => archives(daemons, few),
  pull: () => pulls(daemons, few),
  commit: () => commits(daemons, few),
  memory,
  async many() {
    console.log(`\n${many} containers at once, default network`);
    await manyAtOnce(ours);
  },
};

try {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find(each => parts[each] === undefined);
  if (unknown !== undefined)
    throw new Error(`there is no part '${unknown}'; there are ${Object.keys(parts).join(', ')}`);
  console.log(
    `medians of ${rounds} rounds in turns; ${daemons.map(({ name }) => name).join(', ')} have their daemons running`,
  );
  for (const [name, part] of Object.entries(parts))
    if (chosen.length === 0 || chosen.includes(name)) await part();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  for (const peer of [ours, dockerd, podmanPeer]) await peer?.stop();
  for (const directory of [root, bundle])
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
}
