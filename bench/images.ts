// Images, side by side: builds, archives, a registry and commits. Every image is made here, of busybox and random bytes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execute } from './execute.ts';
import { type Contestant, inTurns, report } from './measure.ts';
import { installed, type Peer, temporary } from './peers.ts';

const FILES = 20_000;
const FILE_SIZE = 15 * 1024;
const REGISTRY = '127.0.0.1:5000';

/** In a directory that is gone afterwards. */
async function apart(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = temporary('images');
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What the one has written is not to be the other's burden. */
function settle(): void {
  execFileSync('sync');
}

export const builds = (peers: readonly Peer[], rounds: number): Promise<void> =>
  apart(directory => measureBuilds(peers, { directory, rounds }));
/** Of an image of 300 MB in 20,000 files. */
export const archives = (peers: readonly Peer[], rounds: number): Promise<void> =>
  apart(directory => measureArchives(peers, { directory, rounds }));
export const pulls = (peers: readonly Peer[], rounds: number): Promise<void> =>
  apart(directory => measurePulls(peers, { directory, rounds }));

interface Setting {
  directory: string;
  rounds: number;
}

async function measureBuilds(peers: readonly Peer[], { directory, rounds }: Setting): Promise<void> {
  const context = join(directory, 'context');
  mkdirSync(context);
  const steps = Array.from({ length: 9 }, (_, index) => `RUN echo ${index} > /step-${index}\n`);
  writeFileSync(join(context, 'Dockerfile'), `FROM busybox\n${steps.join('')}`);
  const build = (peer: Peer, ...options: string[]): Contestant => ({
    name: peer.name,
    once: () =>
      execute([...peer.command, 'build', '-q', '-t', 'ten', ...options, context], {
        ...peer.env,
        DOCKER_BUILDKIT: '0',
      }),
  });
  report(
    'build, ten steps, no cache',
    await inTurns(
      peers.map(peer => build(peer, '--no-cache')),
      rounds,
      1,
    ),
  );
  report(
    'build, ten steps, all of them cached',
    await inTurns(
      peers.map(peer => build(peer)),
      rounds * 3,
    ),
  );
  const [ours, dockers] = peers;
  if (ours === undefined || dockers === undefined) return;
  report(
    "the same, both by docker's command",
    await inTurns([build({ ...ours, command: dockers.command }), build(dockers)], rounds * 3),
  );
}

/** The image `large` of each. */
async function makeLarge(peers: readonly Peer[], directory: string): Promise<void> {
  const root = join(directory, 'root');
  const archive = join(directory, 'root.tar');
  for (let index = 0; index < FILES; index++) {
    const folder = join(root, `${index % 100}`);
    if (index < 100) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}`), randomBytes(FILE_SIZE));
  }
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  rmSync(root, { recursive: true });
  for (const peer of peers) await execute([...peer.command, 'import', archive, 'large'], peer.env);
}

async function measureArchives(peers: readonly Peer[], { directory, rounds }: Setting): Promise<void> {
  await makeLarge(peers, directory);
  const saved = (peer: Peer): string => join(directory, `${peer.name}.tar`);
  report(
    'save, 300 MB in 20,000 files',
    await inTurns(
      peers.map(peer => ({
        name: peer.name,
        before: settle,
        once: () => execute([...peer.command, 'save', '-o', saved(peer), 'large'], peer.env),
      })),
      rounds,
      1,
    ),
  );
  report(
    'load of it',
    await inTurns(
      peers.map(peer => ({
        name: peer.name,
        async before() {
          await execute([...peer.command, 'rmi', '-f', 'large'], peer.env);
          settle();
        },
        once: () => execute([...peer.command, 'load', '-q', '-i', saved(peers[0]!)], peer.env),
      })),
      rounds,
      1,
    ),
  );
  for (const peer of peers) await execute([...peer.command, 'rmi', '-f', 'large'], peer.env);
}

async function measurePulls(peers: readonly Peer[], { directory, rounds }: Setting): Promise<void> {
  if (!installed('docker-registry')) return;
  await makeLarge(peers, directory);
  const name = `${REGISTRY}/large`;
  for (const peer of peers) {
    // Each daemon has a network namespace of its own, and there its own registry.
    const registry = await startRegistry(peer, directory);
    try {
      await execute([...peer.command, 'tag', 'large', name], peer.env);
      await execute([...peer.command, 'push', '-q', name], peer.env);
      await execute([...peer.command, 'rmi', '-f', 'large', name], peer.env);
      Object.assign(peer, { registry });
    } catch (error) {
      registry.kill();
      throw error;
    }
  }
  report(
    'pull of it from a registry of this machine',
    await inTurns(
      peers.map(peer => ({
        name: peer.name,
        async before() {
          await execute([...peer.command, 'rmi', '-f', name], peer.env).catch(() => {});
          settle();
        },
        once: () => execute([...peer.command, 'pull', '-q', name], peer.env),
      })),
      rounds,
      1,
    ),
  );
  for (const peer of peers) (peer as Peer & { registry: ChildProcess }).registry.kill();
}

async function startRegistry(peer: Peer, directory: string): Promise<ChildProcess> {
  const configuration = join(directory, `${peer.name}.yml`);
  const storage = `storage: { filesystem: { rootdirectory: ${directory}/registry-${peer.name} } }`;
  writeFileSync(configuration, `version: 0.1\n${storage}\nhttp: { addr: '${REGISTRY}' }\n`);
  const registry = spawn('nsenter', ['-t', `${peer.pid}`, '-n', 'docker-registry', 'serve', configuration], {
    stdio: 'ignore',
  });
  await pause(1000);
  return registry;
}

export async function commits(peers: readonly Peer[], rounds: number): Promise<void> {
  const write = ['sh', '-c', 'head -c 104857600 /dev/urandom > /large'];
  for (const peer of peers) {
    await execute(
      [...peer.command, 'run', '--name', 'changed', '--net', 'none', 'busybox', ...write],
      peer.env,
    );
  }
  report(
    'commit of 100 MB',
    await inTurns(
      peers.map(peer => ({
        name: peer.name,
        async before() {
          await execute([...peer.command, 'rmi', '-f', 'committed'], peer.env).catch(() => {});
          settle();
        },
        once: () => execute([...peer.command, 'commit', 'changed', 'committed'], peer.env),
      })),
      rounds,
      1,
    ),
  );
  for (const peer of peers) await execute([...peer.command, 'rm', 'changed'], peer.env);
}
