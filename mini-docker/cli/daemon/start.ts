// Starts mini-docker's daemon if none answers; only once, even if several commands try at the same time.

import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDirectories } from '../../linux/make-directories.ts';
import { NoDaemonError } from '../errors.ts';
import { printError } from '../show/output.ts';
import { openConnection } from './http-connection.ts';

/** Milliseconds until a started daemon must answer, on the slowest machine: one that ends is noticed at once. */
const PATIENCE = 120_000;
const INTERVAL = 5;

export interface DaemonStart {
  command: readonly string[];
  runDir: string;
  socket: string;
}

/**
 * Resolves when the socket answers. @throws NoDaemonError when it does not, with the last line of the
 * daemon's log
 */
export async function startDaemon({ command, runDir, socket }: DaemonStart): Promise<void> {
  makeRunDir(runDir);
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline) {
    const starting = await lock(runDir);
    if (!starting) {
      // Another command has just started it.
      if (await answers(socket)) return;
      await sleep(INTERVAL);
      continue;
    }
    try {
      if (await answers(socket)) return;
      await start({ command, runDir, socket }, deadline);
      return;
    } finally {
      starting.release();
    }
  }
  throw new NoDaemonError(
    `another command has been starting the daemon for ${PATIENCE / 1000} s, and nothing answers at ${socket}`,
  );
}

async function start({ command, runDir, socket }: DaemonStart, deadline: number): Promise<void> {
  const { spawn } = await import('node:child_process');
  const logFile = `${runDir}/daemon.log`;
  const log = orNoDaemon(() => openSync(logFile, 'a', 0o600));
  const before = statSync(logFile).size;
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { detached: true, cwd: '/', stdio: ['ignore', log, log] });
  closeSync(log);
  let ended: string | undefined;
  child.on('error', error => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  });
  while (!(await answers(socket))) {
    if (ended !== undefined) {
      const said = readFileSync(logFile).subarray(before).toString().split('\n');
      const reason = said.findLast(line => line.startsWith('mini-docker: '))?.slice('mini-docker: '.length);
      throw new NoDaemonError(reason ?? `the daemon ${ended} (log: ${logFile})`);
    }
    if (Date.now() > deadline) {
      throw new NoDaemonError(
        `the daemon does not answer ${PATIENCE / 1000} s after its start (log: ${logFile})`,
      );
    }
    await sleep(INTERVAL);
  }
  child.removeAllListeners();
  child.unref();
  printError(`mini-docker: started its daemon (pid ${child.pid}, log ${logFile})`);
}

function makeRunDir(runDir: string): void {
  const isRoot = process.getuid?.() === 0;
  // Only root's directory is for other users, too: the group of its socket passes through it.
  orNoDaemon(() => makeDirectories(runDir, isRoot ? 0o711 : 0o700));
}

function orNoDaemon<T>(prepare: () => T): T {
  try {
    return prepare();
  } catch (cause) {
    throw new NoDaemonError(`cannot start the daemon: ${(cause as Error).message}`, { cause });
  }
}

async function answers(socket: string): Promise<boolean> {
  try {
    (await openConnection({ path: socket })).socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/**
 * A lock that the kernel releases when its holder dies: an abstract unix socket can be bound only once
 * (unix(7)). undefined when another process holds it. Any user of the machine may bind any name, so it has
 * numbers in it that only those know who can reach the directory.
 */
async function lock(runDir: string): Promise<{ release(): void } | undefined> {
  const { createServer } = await import('node:net');
  const server = createServer();
  const { dev, ino, birthtimeNs } = statSync(runDir, { bigint: true });
  return new Promise(resolve => {
    server.once('error', () => resolve(undefined));
    server.listen({ path: `\0mini-docker-start:${dev}:${ino}:${birthtimeNs}` }, () =>
      resolve({ release: () => server.close() }),
    );
  });
}
