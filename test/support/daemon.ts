// A daemon for an end-to-end test, in its own network and mount namespaces and with its files in a temporary
// directory. stop() ends the daemon and all of its containers, and throws when anything of them is left.

import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerIds, leftBehind, networkOf } from './leaks.ts';
import { asUser, type Machine, USER, userMachine } from './ordinary-user.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const NODE = join(ROOT, 'node_modules/.bin/node');
/**
 * The bundle that users start; test/suite/bundle.ts renews it before the first test. It starts in a third of
 * the time that the sources need. A virtual machine has its own bundle.
 */
export const MAIN = process.env.MINI_DOCKER_MAIN ?? join(ROOT, 'bin/main.cjs');
const ENTRY = [MAIN, 'daemon'];
/**
 * Milliseconds allowed for a start, which may take a minute in a virtual machine with an emulated processor.
 */
const PATIENCE = process.env.MINI_DOCKER_MAIN === undefined ? 50_000 : 200_000;

export interface TestDaemon {
  /** Path of the unix socket; `host` is the same in the form of DOCKER_HOST. */
  socket: string;
  host: string;
  dataRoot: string;
  runDir: string;
  /** Process id of the daemon, which changes with restart(). */
  readonly pid: number;
  /**
   * Process id of a process in the daemon's namespaces, for nsenter. It lives as long as the test daemon.
   */
  readonly namespaces: number;
  /** The daemon's output so far. */
  log(): string;
  /**
   * Ends only the daemon, and resolves with its exit code, or null after a signal. Containers keep running.
   */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Closes the reading ends of the pipes that the daemon logs to. */
  stopListening(): void;
  /** Starts the daemon again after end(), in the same namespaces and with the same directories. */
  begin(): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StartOptions {
  /** Additional arguments for the daemon's command line. */
  args?: string[];
  env?: Record<string, string>;
  /** Runs the daemon as an ordinary user, on a machine as ordinary-user.ts makes it. */
  rootless?: boolean | Machine;
  /** Directory of the control group (version 2) in which the daemon starts. */
  cgroup?: string;
  /** Its run directory is a tmpfs, as /run is. */
  runInMemory?: boolean;
}

export async function startDaemon(options: StartOptions = {}): Promise<TestDaemon> {
  const { rootless = process.env.MINI_DOCKER_TEST_ROOTLESS !== undefined } = options;
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-test-'));
  const [dataRoot, run] = [join(directory, 'data'), join(directory, 'run')];
  for (const each of [dataRoot, run]) mkdirSync(each);
  if (rootless) for (const each of [directory, dataRoot, run]) chownSync(each, USER.id, USER.id);
  // The namespaces outlive the daemon, so that a daemon started after a kill finds its containers' links.
  const holder = await holdNamespaces(
    rootless
      ? userMachine(ROOT, rootless === true ? {} : rootless)
      : `ip link set lo up${options.runInMemory ? ` && mount -t tmpfs -o mode=711 tmpfs ${run}` : ''}`,
  );
  const runDir = options.runInMemory ? `/proc/${holder.pid}/root${run}` : run;
  const socket = join(runDir, 'docker.sock');
  let daemon: ChildProcess;
  let log = '';

  const begin = async () => {
    const entry = [NODE, ...ENTRY];
    const join = options.cgroup === undefined ? [] : inCgroup(options.cgroup);
    const command = [...join, ...(rootless ? asUser(ROOT, entry) : entry)];
    const inside = ['-t', String(holder.pid), '-n', '-m', ...command];
    const args = ['--data-root', dataRoot, '--run-dir', run, '--host', `unix://${run}/docker.sock`];
    daemon = spawn('nsenter', [...inside, ...args, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    await answers({ socket, daemon, log: () => log });
  };

  const end = async (signal: NodeJS.Signals) => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return daemon.exitCode;
    const ended = Promise.withResolvers<void>();
    daemon.once('exit', () => ended.resolve());
    daemon.kill(signal);
    const late = setTimeout(() => daemon.kill('SIGKILL'), 15_000);
    await ended.promise;
    clearTimeout(late);
    if (daemon.signalCode === 'SIGKILL' && signal !== 'SIGKILL') {
      throw new Error(`the daemon did not end within 15 s of ${signal}; it said:\n${log}`);
    }
    return daemon.exitCode;
  };

  const stop = async () => {
    const ids = containerIds(dataRoot);
    const failures: string[] = [];
    try {
      if (daemon.exitCode === null && daemon.signalCode === null) await removeAll(socket);
      else if (containerIds(dataRoot).length > 0) await begin().then(() => removeAll(socket));
      await end('SIGTERM');
    } catch (error) {
      failures.push(String(error));
    }
    const network = networkOf(holder.pid!);
    holder.kill('SIGKILL');
    failures.push(...(await leftBehind({ directory, ids, network })));
    rmSync(directory, { recursive: true, force: true });
    if (failures.length > 0)
      throw new Error(`left behind:\n${failures.join('\n')}\nthe daemon said:\n${log}`);
  };

  const testDaemon: TestDaemon = {
    socket,
    host: `unix://${socket}`,
    dataRoot,
    runDir,
    get pid() {
      return daemon.pid!;
    },
    namespaces: holder.pid!,
    log: () => log,
    stopListening() {
      for (const stream of [daemon.stdout, daemon.stderr]) stream?.destroy();
    },
    end,
    begin,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  try {
    await begin();
  } catch (error) {
    await stop().catch(left => {
      throw new Error(`${(error as Error).message}\n${left.message}`);
    });
    throw error;
  }
  return testDaemon;
}

/** Starts a process that sleeps in a new network namespace, whose lo is up, and a new mount namespace. */
async function holdNamespaces(setUp: string): Promise<ChildProcess> {
  const script = `${setUp} && echo ready && exec sleep infinity`;
  const holder = spawn('unshare', ['-n', '-m', '--propagation', 'private', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = Promise.withResolvers<void>();
  holder.stdout!.once('data', () => ready.resolve());
  holder.once('error', ready.reject);
  holder.once('exit', () => ready.reject(new Error('no namespaces for a test daemon: is this root?')));
  await ready.promise;
  return holder;
}

const inCgroup = (directory: string): string[] => [
  'sh',
  '-c',
  // A group that hands controllers down takes no processes, so a daemon moves to this one below.
  `group=${directory}; [ -d $group/init ] && group=$group/init; echo $$ > $group/cgroup.procs && exec "$@"`,
  'sh',
];

async function answers(options: { socket: string; daemon: ChildProcess; log(): string }): Promise<void> {
  const { socket, daemon, log } = options;
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const status = await statusOf({ socket, method: 'GET', path: '/_ping' }).catch(() => 0);
    if (status === 200) return;
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}:\n${log()}`);
    if (Date.now() > deadline) throw new Error(`the daemon does not answer; it said:\n${log()}`);
    await sleep(20);
  }
}

async function removeAll(socket: string): Promise<void> {
  const list = await new Promise<string>((done, failed) => {
    const asked = request(
      { socketPath: socket, path: '/containers/json?all=1', agent: false },
      async reply => {
        let text = '';
        for await (const chunk of reply.setEncoding('utf8')) text += chunk;
        done(text);
      },
    );
    asked.on('error', failed).end();
  });
  for (const { Id } of JSON.parse(list)) {
    const path = `/containers/${Id}?force=1&v=1`;
    const status = await statusOf({ socket, method: 'DELETE', path });
    if (status !== 204 && status !== 404) throw new Error(`DELETE ${path} answered ${status}`);
  }
}

function statusOf(options: { socket: string; method: string; path: string }): Promise<number> {
  const { socket, method, path } = options;
  return new Promise((done, failed) => {
    const asked = request({ socketPath: socket, method, path, agent: false }, reply => {
      reply.resume().on('end', () => done(reply.statusCode!));
    });
    asked.on('error', failed).end();
  });
}
