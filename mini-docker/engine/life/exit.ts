// Handles the exit of a program: finishes its output, saves its state, informs clients, and releases its
// resources.

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { removeTreeNow } from '../../linux/remove-tree.ts';
import type { Exit } from '../../runtime/container.ts';
import { removeShm } from '../files/shared-memory.ts';
import { disconnectNetworks, leaveNetworkOwner } from '../networks/connections.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { Held, LiveContainer, Run } from '../state/live-container.ts';
import { mountEvents } from '../volumes/volumes.ts';
import { removeHeld } from './removal.ts';
import { endedRun, shouldRestart } from './restart-policy.ts';
import { startRun } from './start.ts';
import { awaitRestart, exited, outOfMemory, restartDue, setRestartTimer } from './transitions.ts';

/** Milliseconds that are allowed for output after the exit, from processes outside the pid namespace. */
const PATIENCE = 2000;

/** Milliseconds in which a client that waited for the exit may ask for the removal: then nothing has to be saved. */
const FAREWELL = 10;

/** Waits in the background for the end of this run, and handles it. */
export function handleExit(context: EngineContext, live: LiveContainer, run: Run): void {
  let oomTold = false;
  run.container.onOomKill(() => {
    oomTold = true;
    tellOom(context, live);
    void noteOomKill(context, live, run);
  });
  void run.container.exited
    .then(async exit => {
      if (!context.closing.aborted) await run.output.finish(PATIENCE);
      // The next daemon will find the exit.
      if (context.closing.aborted) return;
      using held = await live.hold();
      // The last OOM kill may have ended the program before its event was read.
      if (exit.oomKilled && !oomTold) tellOom(context, live);
      if (exit.oomKilled && live.run === run) keepOomKill(held, run);
      if (live.run === run) await endRun(context, held, { run, exit });
    })
    .catch(error => context.warn(`container ${live.name}: its end: ${(error as Error).message}`));
}

function tellOom(context: EngineContext, live: LiveContainer): void {
  live.oomEvents += 1;
  containerEvent(context, live, 'oom');
}

/** Milliseconds. A program may have its children killed again and again, and each look at the kernel's log takes one. */
const NOTED_APART = 1000;

async function noteOomKill(context: EngineContext, live: LiveContainer, run: Run): Promise<void> {
  using held = await live.hold();
  if (live.run !== run || Date.now() - Date.parse(live.record.state.oomKill?.at ?? '') < NOTED_APART) return;
  keepOomKill(held, run);
  context.records.saveState(live.record);
}

function keepOomKill(held: Held, run: Run): void {
  const kill = run.container.oomKill();
  if (kill !== undefined) outOfMemory(held, kill);
}

async function endRun(
  context: EngineContext,
  held: Held,
  { run, exit }: { run: Run; exit: Exit },
): Promise<void> {
  const { live } = held;
  const { record } = live;
  const { state, hostConfig } = record;
  const lasted = Date.now() - run.startedAt;
  run.output.close({ ended: true });
  exited(held, exit);
  const again = !live.removing && shouldRestart(endedRun(record));
  if (again) awaitRestart(held);
  live.execIds.clear();
  live.tellExit();
  containerEvent(context, live, 'die', {
    exitCode: String(state.exitCode),
    execDuration: String(Math.round(lasted / 1000)),
  });
  context.records.saveLater(record);
  // A client that waits for the exit is answered first, and may ask for the removal next.
  await setImmediate();
  await giveBack(context, live, run);
  const isLast = hostConfig.AutoRemove === true && !live.restarting && !again;
  if (!again && !isLast) await Promise.race([held.wanted, sleep(FAREWELL, undefined, { ref: false })]);
  const isLeaving = isLast || live.removing || (live.removalAwaited && !again);
  // Saved before the run directory is deleted, from which the next daemon would learn the exit. A container
  // that is about to be removed does not need it.
  if (!isLeaving) {
    context.records.saveState(record);
    removeTreeNow(context.paths.container(live.id).run);
  }
  if (again) scheduleRestart(context, held, lasted);
  else if (isLast && !live.removing) await removeHeld(context, held, { volumes: true });
}

/** Releases the cgroup, the monitor and the network of this run. */
async function giveBack(context: EngineContext, live: LiveContainer, run: Run): Promise<void> {
  try {
    await run.container.delete();
  } catch (error) {
    context.warn(`container ${live.name}: ${(error as Error).message}`);
  }
  await disconnectNetworks(context, live.record);
  leaveNetworkOwner(context, live.record);
  mountEvents(context, live.record, 'unmount');
  if (live.record.hostConfig.IpcMode === 'shareable') removeShm(context, live.id);
}

/** @param lasted duration of the last run in milliseconds */
export function scheduleRestart(context: EngineContext, held: Held, lasted: number): void {
  const { live } = held;
  setRestartTimer(held, { lasted, restart: () => void restart(context, live) });
}

async function restart(context: EngineContext, live: LiveContainer): Promise<void> {
  if (context.closing.aborted) return;
  using held = await live.hold();
  if (live.record.state.status !== 'restarting' || live.removing || context.closing.aborted) return;
  restartDue(held);
  try {
    await startRun(context, held, handleExit);
  } catch (error) {
    context.warn(`container ${live.name}: cannot be restarted: ${(error as Error).message}`);
    if (!shouldRestart(endedRun(live.record))) return;
    awaitRestart(held);
    context.records.saveState(live.record);
    scheduleRestart(context, held, 0);
  }
}
