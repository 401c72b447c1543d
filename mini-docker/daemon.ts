// `mini-docker daemon`: assembles images, networks, runtime, engine and API, and runs them until a signal
// arrives.

import { execFile } from 'node:child_process';
import { chownSync, existsSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Listening, listen } from './api/listen.ts';
import { listenForMetrics } from './api/listen-metrics.ts';
import { withActivated } from './daemon/activation.ts';
import { lockDirectory } from './daemon/lock.ts';
import { daemonOptions, type Reloadable, ROOTLESS } from './daemon/options.ts';
import { writePidFile } from './daemon/pid-file.ts';
import type { Engine } from './engine/core/engine.ts';
import { openEngine } from './engine/open.ts';
import { daemonDirectories } from './formats/daemon-directories.ts';
import { ExpectedError } from './formats/errors.ts';
import { decodeGroup } from './formats/user-database.ts';
import { openImageStore } from './images/store.ts';
import { call } from './linux/call.ts';
import { giveMemoryBackWhenIdle } from './linux/idle-memory.ts';
import { notify, takeNotifySocket } from './linux/notify.ts';
import { exitGroup } from './linux/syscalls.ts';
import { whenRead } from './linux/unread.ts';
import { openNetworks } from './network/networks.ts';
import { enterOwnNamespaces } from './rootless/enter.ts';
import { openRootless } from './rootless/rootless.ts';
import { keepParents } from './runtime/cgroups/parents.ts';
import { setOwnOomScore } from './runtime/oom-score.ts';
import { createRuntime } from './runtime/runtime.ts';

/** @returns the exit code: 0 after SIGTERM or SIGINT, 1 when it cannot start */
export async function runDaemon(argv: string[]): Promise<number> {
  try {
    if (process.getuid?.() !== 0) return await becomeRootless(argv);
    process.umask(0o022);
    await serve(argv);
  } catch (error) {
    // A command that started the daemon in vain shows the last line of its output.
    process.stderr.write(`mini-docker: ${firstLine(error)}\n`);
    return exit(1);
  }
  return exit(0);
}

/** Enters the user's own namespaces, where the daemon begins anew as root. */
async function becomeRootless(argv: string[]): Promise<never> {
  const uid = process.getuid!();
  const directories = daemonDirectories({ uid, env: process.env, home: homedir(), exists: existsSync });
  const environment = { [ROOTLESS]: String(uid) };
  const { dataRoot, runDir } = daemonOptions(argv, {
    ...process.env,
    ...environment,
    MINI_DOCKER_DATA_ROOT: directories.dataRoot,
    MINI_DOCKER_RUN_DIR: directories.runDir,
  });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => stop.abort(new Error(`${signal} came before the daemon was ready`)));
  const command = [process.execPath, ...process.execArgv, process.argv[1]!, 'daemon', ...argv];
  return enterOwnNamespaces({ command, dataRoot, runDir, environment, stopped: stop.signal });
}

/** Largest number of problems kept for `info`; the log has all of them. */
const MOST_TROUBLES = 50;

async function serve(argv: string[]): Promise<void> {
  const options = daemonOptions(argv, process.env);
  const { dataRoot, runDir, signaturePolicy, reloadable: settings } = options;
  const { registries } = settings;
  Object.assign(process.env, options.proxies);
  setOwnOomScore(options.oomScore);
  const isRootless = process.env[ROOTLESS] !== undefined;
  const systemd = takeNotifySocket(process.env);
  const stopped = stopSignal();
  // A log that nothing reads any more (EPIPE) must not be logged as an error, which would never end.
  process.stdout.on('error', () => {});
  process.on('uncaughtException', error => report('error', `unexpected: ${stackOf(error)}`));
  process.on('unhandledRejection', error => report('error', `unexpected: ${stackOf(error)}`));
  await using resources = new AsyncDisposableStack();
  resources.defer(giveMemoryBackWhenIdle());
  // Volumes and layers can contain set-uid programs owned by root, so no user of this machine may reach
  // them. The socket's group must still be able to pass through the run directory.
  resources.use(lockDirectory(runDir, isRootless ? 0o700 : 0o711));
  /** Problems with reading or cleaning the disk, for the log and for `info`. */
  const troubles: string[] = [];
  const tell = (trouble: string) => {
    report('warning', trouble);
    if (troubles.length < MOST_TROUBLES) troubles.push(trouble);
  };
  warnOfKeys(options.withoutMeaning);
  // The lock of the run directory says that its namespaces are this daemon's.
  const rootless = isRootless ? resources.use(openRootless({ runDir, dataRoot, tell })) : undefined;
  if (runDir !== dataRoot) resources.use(lockDirectory(dataRoot, isRootless ? 0o700 : 0o710));
  resources.use(writePidFile(options.pidFile));
  resources.use(keepParents());
  registries.offline = rootless?.offline;
  const networks = resources.adopt(
    openNetworks({
      root: join(dataRoot, 'networks'),
      connections: join(runDir, 'connections'),
      sandboxes: join(runDir, 'netns'),
      tell,
      openHostSocket: rootless?.openHostSocket,
      ...options.network,
    }),
    each => each.close(),
  );
  const images = await openImageStore({ root: join(dataRoot, 'images'), registries, signaturePolicy, tell });
  const engine = await openEngine({
    dataRoot,
    runDir,
    images,
    networks,
    runtime: createRuntime(),
    defaults: options.containers,
    settings,
    warn: message => report('warning', message),
    tell,
    troubles: () => [...troubles],
  });
  resources.defer(() => engine.close());

  const listening: Listening[] = [];
  for (const host of withActivated(options.hosts, process.env)) {
    const each = await listen({
      engine,
      host,
      rootless,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      report: error => report('error', unexpected(error)),
      whenRead,
      debug: line => {
        if (settings.debug) report('debug', line);
      },
    });
    listening.push(resources.adopt(each, open => open.close()));
    if (!isRootless) shareSocket(host, options.group);
    report('info', `listening on ${each.host}`);
    if (host.startsWith('tcp:') && options.tls?.clientCa === undefined) {
      const power = isRootless ? 'has all rights of this user' : 'is root on this machine';
      report('warning', `${each.host}: everyone who reaches it ${power}; use --tlsverify`);
    }
  }
  if (options.metricsAddress !== undefined) {
    const metrics = await listenForMetrics(engine, options.metricsAddress, rootless);
    resources.adopt(metrics, each => each.close());
    report('info', `metrics on ${metrics.host}`);
  }
  report('info', `ready: pid ${process.pid}, data in ${dataRoot}, ${process.version}`);
  resources.use(tellSystemd(systemd, engine));
  process.on('SIGHUP', () => reload({ argv, settings, engine }));
  const signal = await stopped;
  notify(systemd, 'STOPPING=1');
  const { keepContainers, shutdownTimeout } = settings;
  if (keepContainers && !(systemd !== undefined && !isRootless && (await machineGoesDown())))
    report('info', `${signal}: stopping; containers go on running`);
  else {
    report('info', `${signal}: stopping all containers, then the daemon`);
    await engine.stopContainers(shutdownTimeout);
  }
  if (engine.system.running() === 0) rootless?.giveUp();
  // Closing the engine first releases the clients that follow logs or wait; then their connections can end.
  await engine.close();
}

/**
 * Whether systemd stops the machine, and not this service only. At its end systemd waits 90 seconds for processes that
 * take no SIGTERM, as most containers' first processes do, and their users' data is better off with a stop in order. (The
 * containers of an ordinary user end with the user's systemd.)
 */
async function machineGoesDown(): Promise<boolean> {
  return await new Promise(resolve =>
    execFile('systemctl', ['is-system-running'], { timeout: 5000 }, (_, said) =>
      resolve(said.trim() === 'stopping'),
    ),
  );
}

/** The first signal stops the daemon in an orderly way; a second one ends it at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => exit(1));
      });
    }
    // Until the daemon is ready.
    process.on('SIGHUP', () => {});
  });
}

/** Reads the configuration again, and takes over what dockerd does; a wrong file changes nothing. */
function reload({ argv, settings, engine }: { argv: string[]; settings: Reloadable; engine: Engine }): void {
  try {
    const { reloadable, withoutMeaning } = daemonOptions(argv, process.env);
    warnOfKeys(withoutMeaning);
    const { registries, ...others } = reloadable;
    // The image store holds the same object.
    Object.assign(settings.registries, registries);
    Object.assign(settings, others);
    engine.system.reloaded();
    report('info', 'SIGHUP: the configuration was read again');
  } catch (error) {
    report('error', `SIGHUP: the configuration stays as it was: ${firstLine(error)}`);
  }
}

/** `systemctl status` shows the line, and how many containers run. */
function tellSystemd(address: string | undefined, engine: Engine): Disposable {
  let told = -1;
  const status = () => {
    const count = engine.system.running();
    if (count === told) return;
    told = count;
    notify(address, `STATUS=${count === 1 ? '1 container runs' : `${count} containers run`}`);
  };
  notify(address, 'READY=1');
  const timer = address === undefined ? undefined : setInterval(status, STATUS_MS).unref();
  if (address !== undefined) status();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const STATUS_MS = 1000;

function warnOfKeys(keys: readonly string[]): void {
  for (const key of keys)
    report('warning', `daemon.json: ${key} means something to dockerd only, and changes nothing here`);
}

/**
 * Lets a group use the socket, as dockerd does: the one that is asked for, else `mini-docker` or `docker`;
 * without such a group only root may.
 */
function shareSocket(host: string, asked: string | undefined): void {
  const path = /^unix:\/\/(.+)$/.exec(host)?.[1];
  if (path === undefined) return;
  const groups = decodeGroup(readFileSync('/etc/group', 'utf8'));
  const named = (name: string) => groups.find(each => each.name === name || String(each.gid) === name);
  const group = asked === undefined ? (named('mini-docker') ?? named('docker')) : named(asked);
  if (asked && group === undefined) throw new Error(`group ${asked} not found: it was to use the socket`);
  if (group !== undefined) chownSync(path, 0, group.gid);
}

/** Logs '2026-01-02T03:04:05.678Z warning container web: …': one line per event, except for stack traces. */
function report(level: 'debug' | 'info' | 'warning' | 'error', message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${level} ${message}\n`);
}

function firstLine(error: unknown): string {
  // The original error; the cleanup after it failed too.
  if (error instanceof SuppressedError) return firstLine(error.suppressed);
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

/** The engine's own errors are logged in one line; unforeseen errors with their stack. */
function unexpected(error: unknown): string {
  return error instanceof ExpectedError ? error.message : stackOf(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Exits at once: the streams of running containers would keep the event loop alive, and leaving them loses
 * nothing. process.exit() would wait for V8's background compilation, which may wait forever for a garbage
 * collection.
 */
function exit(code: number): never {
  flushCompileCache();
  call(exitGroup(code));
  throw new Error('exit_group(2) came back');
}
