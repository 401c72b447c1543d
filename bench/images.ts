// Compares images: builds, archives, a registry and commits. Every image is made here, from busybox and
// random bytes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { execute } from './execute.ts';
import { type Contestant, inTurns, report } from './measure.ts';
import { installed, miniDocker, type Peer, temporary } from './peers.ts';

const FILES = 20_000;
const FILE_SIZE = 15 * 1024;
const REGISTRY = '127.0.0.1:5000';

/** Runs `work` in a directory that is removed afterwards. */
async function apart(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = temporary('images');
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Flushes one contestant's writes to disk, so that they do not slow down the next. */
function settle(): void {
  execFileSync('sync');
}

export const builds = (peers: readonly Peer[], rounds: number): Promise<void> =>
  apart(directory => measureBuilds(peers, { directory, rounds }));
/** Measures archives of an image of 300 MB in 20,000 files. */
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

/**
 * Imports different images, `large-0` and so on, each new to the daemon that pulls it. Returns their names.
 */
async function publish(publisher: Peer, directory: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `large-${index}`);
  for (const name of names) {
    const archive = join(directory, 'root.tar');
    await writeTar(archive);
    await execute([...publisher.command, 'import', archive, name], publisher.env);
    rmSync(archive);
  }
  return names;
}

/** Writes the files straight into the archive: ext4 is slow in places where files were removed recently. */
async function writeTar(path: string): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(path));
  for (let index = 0; index < FILES; index++) {
    const entry = tar.entry({ name: `${index % 100}/${index}`, size: FILE_SIZE });
    entry.end(randomBytes(FILE_SIZE));
    await finished(entry);
  }
  tar.finalize();
  await written;
}

async function measureArchives(peers: readonly Peer[], { directory, rounds }: Setting): Promise<void> {
  await withPublisher(async publisher => {
    const names = await publish(publisher, directory, rounds + 1);
    const archiveOf = (name: string): string => join(directory, `${name}.tar`);
    for (const name of names)
      await execute([...publisher.command, 'save', '-o', archiveOf(name), name], publisher.env);
    report(
      'load, 300 MB in 20,000 files',
      await inTurns(
        peers.map(peer => ({
          name: peer.name,
          before: settle,
          once: each(names, name =>
            execute([...peer.command, 'load', '-q', '-i', archiveOf(name)], peer.env),
          ),
        })),
        rounds,
        1,
      ),
    );
    const saved = (peer: Peer): string => join(directory, `${peer.name}-saved.tar`);
    report(
      'save of it',
      await inTurns(
        peers.map(peer => ({
          name: peer.name,
          before: settle,
          once: () => execute([...peer.command, 'save', '-o', saved(peer), names[0]!], peer.env),
        })),
        rounds,
        1,
      ),
    );
    for (const peer of peers) await execute([...peer.command, 'rmi', '-f', ...names], peer.env);
  });
}

/** Provides a daemon that is not measured, and that keeps its images until all measurements are done. */
async function withPublisher(work: (publisher: Peer) => Promise<void>): Promise<void> {
  const publisher = await miniDocker();
  try {
    await work(publisher);
  } finally {
    await publisher.stop();
  }
}

/** Returns a function that does the work with the next thing at each call. */
function each<T>(things: readonly T[], work: (thing: T) => Promise<void>): () => Promise<void> {
  const left = [...things];
  return () => work(left.shift()!);
}

/**
 * Each daemon has its own network namespace and its own registry in it; all registries have the same images.
 */
async function measurePulls(peers: readonly Peer[], { directory, rounds }: Setting): Promise<void> {
  if (!installed('docker-registry')) return;
  const registries: ChildProcess[] = [];
  try {
    await withPublisher(async publisher => {
      for (const peer of [publisher, ...peers]) registries.push(await startRegistry(peer, directory));
      const names: string[] = [];
      for (const name of await publish(publisher, directory, rounds + 1)) {
        names.push(`${REGISTRY}/${name}`);
        await execute([...publisher.command, 'tag', name, `${REGISTRY}/${name}`], publisher.env);
        await execute([...publisher.command, 'push', '-q', `${REGISTRY}/${name}`], publisher.env);
      }
      report(
        'pull of it from a registry of this machine',
        await inTurns(
          peers.map(peer => ({
            name: peer.name,
            before: settle,
            once: each(names, name => execute([...peer.command, 'pull', '-q', name], peer.env)),
          })),
          rounds,
          1,
        ),
      );
      for (const peer of peers) await execute([...peer.command, 'rmi', '-f', ...names], peer.env);
    });
  } finally {
    for (const registry of registries) registry.kill();
  }
}

async function startRegistry(peer: Peer, directory: string): Promise<ChildProcess> {
  const configuration = join(directory, 'registry.yml');
  const storage = `storage: { filesystem: { rootdirectory: ${directory}/registry } }`;
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
