// Who waits for a box when its user has gone: a process for each, which writes down how it ends.
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
import { removeLayers } from '../08-layers/layers.ts';
import { readImage } from '../09-images/store.ts';
import { giveBack, runContainer } from './container.ts';
import { isRunning, logFile, readState, type State, writeState } from './state.ts';

/** Runs a box that is on record, and keeps the record true. @returns the exit code */
export async function keep(name: string, tty = false): Promise<number> {
  const { spec, image } = readState(name);
  const started: State = { spec, image, keeper: processIdentity(process.pid) };
  const exitCode = await runContainer(spec, readImage(image), {
    tty,
    started: (pid, held) => {
      Object.assign(started, { box: processIdentity(pid), held });
      writeState(started);
      // To whoever has started us, if anybody waits for it: startKeeper().
      process.send?.('started');
      if (process.connected) process.disconnect();
    },
  });
  writeState({ spec, image, exitCode });
  return exitCode;
}

/** Starts a box that nobody sits before. @throws Mistake when it did not start, with the reason */
export async function startKeeper(name: string): Promise<void> {
  const state = readState(name);
  if (isRunning(state)) throw new Mistake(`${name} runs already`);
  cleanUp(state);
  const log = openSync(logFile(name), 'a');
  const words = [...process.execArgv, process.argv[1]!, 'keep', name];
  // A session of its own: the terminal from which it was started may be closed, and Ctrl-C is not for it.
  const keeper = spawn(process.execPath, words, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const first = await Promise.race([once(keeper, 'message'), once(keeper, 'exit')]);
  keeper.unref();
  if (first[0] !== 'started')
    throw new Mistake(`${name} did not start. ${readFileSync(logFile(name), 'utf8')}`);
}

/** Asks it to end, waits for some seconds, and then does not ask. */
export async function stop(name: string, seconds: number): Promise<void> {
  const { box, keeper } = readState(name);
  const pidfd = open(box);
  if (pidfd === undefined) throw new Mistake(`${name} does not run`);
  send(pidfd, SIG.TERM);
  await watchExit(pidfd, AbortSignal.timeout(seconds * 1000)).catch(() => send(pidfd, SIG.KILL));
  await watchExit(pidfd);
  const keeping = open(keeper);
  if (keeping !== undefined) await watchExit(keeping);
}

/** @throws Mistake when it runs */
export function remove(name: string): void {
  const state = readState(name);
  if (isRunning(state)) throw new Mistake(`${name} runs: stop ${name} comes first`);
  cleanUp(state);
  removeLayers(name);
}

/** What its keeper would have given back, if nobody had killed him. */
function cleanUp({ held }: State): void {
  if (held !== undefined) giveBack(held);
}

function open(identity: ProcessIdentity | undefined): number | undefined {
  return identity === undefined ? undefined : openProcess(identity);
}

function send(pidfd: number, signal: number): void {
  // ESRCH: it has ended meanwhile.
  call(mayFail(pidfdSendSignal(pidfd, signal, null, 0), 'ESRCH'));
}
