// The keeper: one process for each box, which waits for it after its user has left, and records how it ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import {
  call,
  mayFail,
  openProcess,
  type ProcessIdentity,
  pidfdSendSignal,
  processIdentity,
  SIG,
  watchExit,
} from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import type { Terminal } from '../06b-terminal/terminal.ts';
import { removeLayers } from '../08-layers/layers.ts';
import { readImage } from '../09-images/store.ts';
import { giveBack, runContainer } from './container.ts';
import { isRunning, logFile, readState, type State, writeState } from './state.ts';

/** Runs a recorded box, and keeps its record true. @returns the exit code */
export async function keep(name: string, screen?: Terminal): Promise<number> {
  const { spec, image } = readState(name);
  const started: State = { spec, image, keeper: processIdentity(process.pid) };
  const exitCode = await runContainer(spec, readImage(image), {
    screen,
    started: (pid, held) => {
      Object.assign(started, { box: processIdentity(pid), held });
      writeState(started);
      // Tells startKeeper(), if it started this process.
      process.send?.('started');
      if (process.connected) process.disconnect();
    },
  });
  writeState({ spec, image, exitCode });
  return exitCode;
}

/** Starts a box in the background. @throws Mistake with the reason if it did not start */
export async function startKeeper(name: string): Promise<void> {
  const state = readState(name);
  if (isRunning(state)) throw new Mistake(`${name} is running already`);
  cleanUp(state);
  const log = openSync(logFile(name), 'a');
  const words = [...process.execArgv, process.argv[1]!, 'keep', name];
  // In a session of its own it survives the closing of its terminal, and Ctrl-C does not reach it.
  const keeper = spawn(process.execPath, words, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const first = await Promise.race([once(keeper, 'message'), once(keeper, 'exit')]);
  keeper.unref();
  if (first[0] !== 'started')
    throw new Mistake(`${name} did not start. ${readFileSync(logFile(name), 'utf8')}`);
}

/** Asks a box to end, waits for some seconds, then stops asking. */
export async function stop(name: string, seconds: number): Promise<void> {
  const { box, keeper } = readState(name);
  const pidfd = open(box);
  if (pidfd === undefined) throw new Mistake(`${name} is not running`);
  send(pidfd, SIG.TERM);
  await watchExit(pidfd, AbortSignal.timeout(seconds * 1000)).catch(() => send(pidfd, SIG.KILL));
  await watchExit(pidfd);
  const keeping = open(keeper);
  if (keeping !== undefined) await watchExit(keeping);
}

/** Removes a box. @throws Mistake if it is running */
export function remove(name: string): void {
  const state = readState(name);
  if (isRunning(state)) throw new Mistake(`${name} is running: stop it first`);
  cleanUp(state);
  removeLayers(name);
}

/** Gives back what the keeper would have given back had it not been killed. */
function cleanUp({ held }: State): void {
  if (held !== undefined) giveBack(held);
}

function open(identity: ProcessIdentity | undefined): number | undefined {
  return identity === undefined ? undefined : openProcess(identity);
}

function send(pidfd: number, signal: number): void {
  // ESRCH: it has ended in the meantime.
  call(mayFail(pidfdSendSignal(pidfd, signal, null, 0), 'ESRCH'));
}
