// A program has ended: its output is brought to its end, its state saved, everybody told, and what held it given back.

import { encodeTimestamp } from '../../formats/timestamp.ts';
import { removeTree } from '../../linux/remove-tree.ts';
import type { Exit } from '../../runtime/container.ts';
import { removeShm } from '../files/shared-memory.ts';
import { disconnectNetworks, leaveNetworkOwner } from '../networks/connections.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer, Run } from '../state/live-container.ts';
import { mountEvents } from '../volumes/volumes.ts';
import { watchHealth } from './health.ts';
import { removeLocked } from './removal.ts';
import { nextDelay, shouldRestart } from './restart-policy.ts';
import { startRun } from './start.ts';

/** How long output may still come after the program's end: from processes outside of its pid namespace. Milliseconds. */
const PATIENCE = 2000;

/** Waits for the end of this run and deals with it, in the background. */
export function handleExit(context: EngineContext, live: LiveContainer, run: Run): void {
  watchHealth(context, live, run);
  let oomTold = false;
  run.container.onOomKill(() => {
    oomTold = true;
    containerEvent(context, live, 'oom');
  });
  void run.container.exited
    .then(async exit => {
      if (!context.closing.aborted) await run.output.finish(PATIENCE);
      // The next daemon finds it ended.
      if (context.closing.aborted) return;
      using _held = await live.lock.acquire();
      // The last kill may be what ended it, before there was time to hear of it.
      if (exit.oomKilled && !oomTold) containerEvent(context, live, 'oom');
      if (live.run === run) await endRun(context, live, { run, exit });
    })
    .catch(error => context.warn(`container ${live.name}: its end: ${(error as Error).message}`));
}

/** The caller holds the lock. */
async function endRun(
  context: EngineContext,
  live: LiveContainer,
  { run, exit }: { run: Run; exit: Exit },
): Promise<void> {
  const { record } = live;
  const { state, hostConfig } = record;
  const lasted = Date.now() - run.startedAt;
  Object.assign(state, {
    pid: 0,
    exitCode: exit.code ?? 255,
    error:
      exit.code === undefined ? 'the exit code is not known: the monitor of the container was killed' : '',
    oomKilled: exit.oomKilled,
    finishedAt: encodeTimestamp(BigInt(exit.at.getTime()) * 1_000_000n),
  });
  if (exit.code === undefined) state.exitUnknown = true;

  const again =
    !live.removing &&
    shouldRestart({
      policy: hostConfig.RestartPolicy,
      exitCode: state.exitCode,
      manuallyStopped: state.manuallyStopped,
      restartCount: state.restartCount,
    });
  state.status = again ? 'restarting' : 'exited';
  run.output.close({ ended: true });
  live.run = undefined;
  live.execIds.clear();
  live.tellExit();
  // Before its run directory goes, from which the next daemon would learn it. One that is removed now needs it no more.
  const isLast = hostConfig.AutoRemove === true && !live.restarting && !again;
  if (!isLast) context.records.saveState(record);
  containerEvent(context, live, 'die', {
    exitCode: String(state.exitCode),
    execDuration: String(Math.round(lasted / 1000)),
  });

  await giveBack(context, live, run);
  if (again) scheduleRestart(context, live, lasted);
  else if (isLast && !live.removing) await removeLocked(context, live, { volumes: true });
}

/** Cgroup, monitor, network, and the files of this run. */
export async function giveBack(context: EngineContext, live: LiveContainer, run: Run): Promise<void> {
  try {
    await run.container.delete();
  } catch (error) {
    context.warn(`container ${live.name}: ${(error as Error).message}`);
  }
  await disconnectNetworks(context, live.record);
  leaveNetworkOwner(context, live.record);
  mountEvents(context, live.record, 'unmount');
  if (live.record.hostConfig.IpcMode === 'shareable') removeShm(context, live.id);
  await removeTree(context.paths.container(live.id).run);
}

/** The caller holds the lock, and has set the status. */
export function scheduleRestart(context: EngineContext, live: LiveContainer, lasted: number): void {
  live.restartDelay = nextDelay(live.restartDelay, lasted);
  live.restartTimer = setTimeout(() => void restart(context, live), live.restartDelay);
}

async function restart(context: EngineContext, live: LiveContainer): Promise<void> {
  if (context.closing.aborted) return;
  using _held = await live.lock.acquire();
  const { state, hostConfig } = live.record;
  if (state.status !== 'restarting' || live.removing || context.closing.aborted) return;
  live.restartTimer = undefined;
  state.restartCount += 1;
  try {
    await startRun(context, live, handleExit);
  } catch (error) {
    context.warn(`container ${live.name}: cannot be restarted: ${(error as Error).message}`);
    const again = shouldRestart({
      policy: hostConfig.RestartPolicy,
      exitCode: state.exitCode,
      manuallyStopped: state.manuallyStopped,
      restartCount: state.restartCount,
    });
    if (!again) return;
    state.status = 'restarting';
    context.records.saveState(live.record);
    scheduleRestart(context, live, 0);
  }
}
