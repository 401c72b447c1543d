// `mini-docker daemon`: images, networks, runtime, engine and api put together, until a signal ends it.

import { chownSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { type Listening, listen } from './api/listen.ts';
import { lockDirectory } from './daemon/lock.ts';
import { type DaemonOptions, daemonOptions } from './daemon/options.ts';
import { openEngine } from './engine/open.ts';
import { ExpectedError } from './formats/errors.ts';
import { decodeGroup } from './formats/user-database.ts';
import { openImageStore } from './images/store.ts';
import { call } from './linux/call.ts';
import { giveMemoryBackWhenIdle } from './linux/idle-memory.ts';
import { exitGroup } from './linux/syscalls.ts';
import { whenRead } from './linux/unread.ts';
import { openNetworks } from './network/networks.ts';
import { keepParents } from './runtime/cgroups/parents.ts';
import { protectFromOomKiller } from './runtime/oom-score.ts';
import { createRuntime } from './runtime/runtime.ts';

/** @returns the exit code: 0 after SIGTERM or SIGINT, 1 when it cannot start */
export async function runDaemon(argv: string[]): Promise<number> {
  try {
    if (process.getuid?.() !== 0) throw new Error('the daemon needs root: start it with sudo');
    process.umask(0o022);
    protectFromOomKiller();
    await serve(daemonOptions(argv, process.env));
  } catch (error) {
    // The last line is what the command shows when the daemon that it started did not come up.
    process.stderr.write(`mini-docker: ${firstLine(error)}\n`);
    return exit(1);
  }
  return exit(0);
}

/** More are only in the log. */
const MOST_TROUBLES = 50;

async function serve(options: DaemonOptions): Promise<void> {
  const { dataRoot, runDir, registries, debug } = options;
  const stopped = stopSignal();
  process.on('uncaughtException', error => report('error', `unexpected: ${stackOf(error)}`));
  process.on('unhandledRejection', error => report('error', `unexpected: ${stackOf(error)}`));
  await using resources = new AsyncDisposableStack();
  resources.defer(giveMemoryBackWhenIdle());
  // In volumes and layers lie set-uid programs of containers' roots: no user of this machine may get there. Through the
  // run directory the socket's group has to.
  resources.use(lockDirectory(dataRoot, runDir === dataRoot ? 0o711 : 0o710));
  if (runDir !== dataRoot) resources.use(lockDirectory(runDir, 0o711));

  resources.use(keepParents());
  /** What of the disk could not be read or cleaned, for the log, and for `info`. */
  const troubles: string[] = [];
  const tell = (trouble: string) => {
    report('warning', trouble);
    if (troubles.length < MOST_TROUBLES) troubles.push(trouble);
  };
  const networks = resources.adopt(openNetworks({ root: join(dataRoot, 'networks'), tell }), each =>
    each.close(),
  );
  const images = await openImageStore({ root: join(dataRoot, 'images'), registries, tell });
  const engine = await openEngine({
    dataRoot,
    runDir,
    images,
    networks,
    runtime: createRuntime(),
    debug,
    registries,
    warn: message => report('warning', message),
    tell,
    troubles: () => [...troubles],
  });
  resources.defer(() => engine.close());

  const listening: Listening[] = [];
  for (const host of options.hosts) {
    const each = await listen({
      engine,
      host,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      report: error => report('error', unexpected(error)),
      whenRead,
      ...(debug ? { debug: (line: string) => report('debug', line) } : {}),
    });
    listening.push(resources.adopt(each, open => open.close()));
    shareSocket(host);
    report('info', `listening on ${each.host}`);
    if (host.startsWith('tcp:') && options.tls?.clientCa === undefined) {
      report('warning', `${each.host}: everybody who reaches it is root on this machine; use --tlsverify`);
    }
  }
  report('info', `ready: pid ${process.pid}, data in ${dataRoot}, ${process.version}`);
  const signal = await stopped;
  report('info', `${signal}: stopping; containers go on running`);
  // First the engine, whose end lets those go who follow logs or wait; then connections have an end, too.
  await engine.close();
}

/** The first signal stops in an orderly way, a second one at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => exit(1));
      });
    }
    process.on('SIGHUP', () => {});
  });
}

/** The members of a group of this name may use the socket, as with docker; without one it is root's alone. */
function shareSocket(host: string): void {
  const path = /^unix:\/\/(.+)$/.exec(host)?.[1];
  if (path === undefined) return;
  const groups = decodeGroup(readFileSync('/etc/group', 'utf8'));
  const group = ['mini-docker', 'docker'].map(name => groups.find(each => each.name === name)).find(Boolean);
  if (group !== undefined) chownSync(path, 0, group.gid);
}

/** '2026-01-02T03:04:05.678Z warning container web: …': one event a line, but for the stacks of what nobody expected. */
function report(level: 'debug' | 'info' | 'warning' | 'error', message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${level} ${message}\n`);
}

function firstLine(error: unknown): string {
  // What went wrong first; its cleaning up failed as well.
  if (error instanceof SuppressedError) return firstLine(error.suppressed);
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

/** What the engine says itself is said in a line; a stack is for what nobody thought of. */
function unexpected(error: unknown): string {
  return error instanceof ExpectedError ? error.message : stackOf(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Streams of running containers would keep the event loop alive: nothing is lost by leaving now. And not by process.exit(),
 * which waits for what V8 compiles in the background, and that may wait for a garbage collection: for ever then.
 */
function exit(code: number): never {
  flushCompileCache();
  call(exitGroup(code));
  throw new Error('exit_group(2) came back');
}
