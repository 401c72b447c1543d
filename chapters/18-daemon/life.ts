// The life of boxes: what the daemon does when a client asks for something, or when a box ends.
// The engine: mini-docker/engine/life/start.ts, exit.ts, stop.ts and recovery.ts
import { call, close, mayFail, openProcess, pidfdSendSignal, SIG, watchExit } from '#linux';
import * as keeper from '../12-stay/keeper.ts';
import { isRunning, readState } from '../12-stay/state.ts';
import { allBoxes, announce, type Box, findBox, planned, Refusal, statusOf, watched } from './boxes.ts';
import { nextDelay, shouldRestart } from './restart.ts';
import { readWanted, writeWanted } from './wanted.ts';

/** Boxes that are just being started. */
const starting = new Map<string, Promise<void>>();
/** Milliseconds that each box had to wait before its last restart. */
const delays = new Map<string, number>();

/** @returns false if it is running already */
export async function start({ name, state, wanted }: Box): Promise<boolean> {
  if (isRunning(state) || starting.has(name)) return false;
  unplan(name);
  delays.delete(name);
  writeWanted(name, { ...wanted, stopped: false, restarts: 0 });
  await startNow(name);
  return true;
}

async function startNow(name: string): Promise<void> {
  const started = keeper.startKeeper(name).finally(() => starting.delete(name));
  starting.set(name, started);
  await started;
  announce('start', findBox(name));
  watch(name);
}

function watch(name: string): void {
  const handled = waitForEnd(name)
    .catch((error: Error) => console.error(`${name}: ${error.message}`))
    .finally(() => watched.delete(name));
  watched.set(name, handled);
}

/** Also for a box that an earlier daemon has started: a pidfd needs no child. */
async function waitForEnd(name: string): Promise<void> {
  const { keeper: keeping, box } = readState(name);
  const began = Date.now();
  // The keeper first: when it has ended, all output is in the file, and the exit code in the record.
  for (const identity of [keeping, box]) {
    const pidfd = identity === undefined ? undefined : openProcess(identity);
    if (pidfd === undefined) continue;
    await watchExit(pidfd);
    call(close(pidfd));
  }
  handleEnd(findBox(name), Date.now() - began);
}

/** Takes charge of a box that was started beside the daemon, with `box run`. */
export function adopt(box: Box): Box {
  if (isRunning(box.state) && !watched.has(box.name)) watch(box.name);
  return box;
}

function handleEnd(box: Box, lasted: number): void {
  const { name, state, wanted } = box;
  const { RestartPolicy: policy, AutoRemove } = wanted.request.HostConfig ?? {};
  const again = shouldRestart(policy, { ...wanted, exitCode: state.exitCode });
  if (again) plan(name, nextDelay(delays.get(name) ?? 0, lasted));
  announce('die', box);
  if (!again && AutoRemove) discard(box);
}

function plan(name: string, delay: number): void {
  delays.set(name, delay);
  const restart = async (): Promise<void> => {
    const wanted = readWanted(name);
    writeWanted(name, { ...wanted, restarts: wanted.restarts + 1 });
    await startNow(name).catch((error: Error) => console.error(`${name}: ${error.message}`));
    planned.delete(name);
  };
  planned.set(name, setTimeout(restart, delay));
}

function unplan(name: string): boolean {
  clearTimeout(planned.get(name));
  return planned.delete(name);
}

/** @returns false if it was not running */
export async function stop(box: Box, seconds: number): Promise<boolean> {
  const { name } = box;
  // Written down first: if we are killed now, the next daemon does not start it again.
  writeWanted(name, { ...readWanted(name), stopped: true });
  const wasPlanned = unplan(name);
  await starting.get(name)?.catch(() => {});
  // It may just be ending by itself: then there is nothing to stop any more.
  if (isRunning(readState(name))) await keeper.stop(name, seconds).catch(() => {});
  else if (!wasPlanned) return false;
  await watched.get(name);
  announce('stop', box);
  return true;
}

export function kill({ name, state, wanted }: Box, signal: number): void {
  const pidfd = state.box && openProcess(state.box);
  if (pidfd === undefined) throw new Refusal(409, `Container ${name} is not running`);
  if (signal === SIG.KILL) writeWanted(name, { ...wanted, stopped: true });
  call(mayFail(pidfdSendSignal(pidfd, signal, null, 0), 'ESRCH'));
  call(close(pidfd));
}

export async function remove(box: Box, force: boolean): Promise<void> {
  if (isRunning(box.state) && !force)
    throw new Refusal(409, `You cannot remove a running container ${box.name}. Stop it first, or use force`);
  await stop(box, 0);
  // With --rm, its end may have removed it already.
  if (allBoxes().some(({ name }) => name === box.name)) discard(box);
}

function discard(box: Box): void {
  unplan(box.name);
  delays.delete(box.name);
  keeper.remove(box.name);
  announce('destroy', box);
}

/** What a new daemon does first: finds the boxes that live on, and settles what the daemon before it could not. */
export function recover(): void {
  for (const box of allBoxes()) {
    const { name, state, wanted } = box;
    const policy = wanted.request.HostConfig?.RestartPolicy;
    const ended = {
      ...wanted,
      exitCode: state.exitCode,
      stopped: wanted.stopped && policy?.Name !== 'always',
    };
    if (isRunning(state)) adopt(box);
    else if (statusOf(box) === 'created') continue;
    else if (shouldRestart(policy, ended)) plan(name, 0);
    else if (wanted.request.HostConfig?.AutoRemove) discard(box);
  }
}
