// The states of a container, and the allowed transitions. No other file writes these fields, and all
// functions need the container's lock: a Held proves that the caller has it.

import type { ContainerStatus } from '../../formats/engine-api/containers.ts';
import { encodeTimestamp, nowNanoseconds } from '../../formats/timestamp.ts';
import type { Exit, OomKill } from '../../runtime/container.ts';
import type { Held, LiveContainer, Run } from '../state/live-container.ts';
import type { AskedSignal, RecordState } from '../state/record.ts';
import { nextDelay } from './restart-policy.ts';

/** The states that may follow each state. */
export const NEXT: Readonly<Record<ContainerStatus, readonly ContainerStatus[]>> = {
  created: ['running', 'removing'],
  running: ['paused', 'exited'],
  paused: ['running', 'exited'],
  exited: ['running', 'restarting', 'removing'],
  // Waits for the next start by its policy. If that start fails, or `stop` comes first, it becomes exited.
  restarting: ['running', 'exited'],
  // Back to the former state, if the disk refuses.
  removing: ['created', 'exited', 'dead'],
  // Docker's state for a container whose files could not be deleted. Here one rename hides the files, or
  // nothing has happened.
  dead: ['removing'],
};

const KEPT_SIGNALS = 8;
const KEPT_ENDS = 5;

const now = (): string => encodeTimestamp(nowNanoseconds());

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const flags = (held: Held): Writable<LiveContainer> => held.live;

function become(held: Held, status: ContainerStatus, changes: Partial<RecordState> = {}): void {
  const { record, name } = held.live;
  const before = record.state.status;
  if (status !== before && !NEXT[before].includes(status)) {
    throw new Error(`container ${name} is ${before}, and from there it cannot become ${status}`);
  }
  change(held, { ...changes, status });
}

function change(held: Held, changes: Partial<RecordState>): void {
  Object.assign(held.live.record.state, changes);
}

/**
 * The user starts it, or the starting daemon does: cancels a pending restart, and resets the count of
 * restarts.
 */
export function startAsked(held: Held): void {
  clearTimer(held);
  flags(held).restarting = false;
  change(held, { restartCount: 0, manuallyStopped: false, ends: [] });
}

/** Its processes exist, make its mounts, and then run the program. */
export function prepared(held: Held, run: Run): void {
  flags(held).run = run;
}

/** Its program runs. `paused`: an earlier daemon had frozen it. */
export function running(
  held: Held,
  { startedAt, paused = false }: { startedAt: string; paused?: boolean },
): void {
  const { pid } = held.live.run!.container;
  const isNew = held.live.record.state.startedAt !== startedAt;
  const ofThisRun = { pid, exitCode: 0, error: '', oomKilled: false, startedAt, startedBefore: true };
  become(held, 'running', ofThisRun);
  if (paused) become(held, 'paused');
  const state: Writable<RecordState> = held.live.record.state;
  delete state.exitUnknown;
  // An earlier daemon may have noted these of the same run.
  if (!isNew) return;
  delete state.asked;
  delete state.oomKill;
  delete state.exitSignal;
}

/** Restores the state from before the failed start. */
export function startFailed(held: Held, failure: { error: string; exitCode: number }): void {
  const { startedBefore } = held.live.record.state;
  flags(held).run = undefined;
  become(held, startedBefore ? 'exited' : 'created', failure);
}

export function paused(held: Held): void {
  become(held, 'paused');
}

export function resumed(held: Held): void {
  become(held, 'running');
}

export function stopAsked(held: Held): void {
  change(held, { manuallyStopped: true });
}

/** The daemon stopped it with itself, and not a user: its restart policy holds for the next daemon. */
export function stoppedWithDaemon(held: Held): void {
  change(held, { manuallyStopped: false });
}

/** `restart` will end it first: that exit triggers neither --rm nor the restart policy. */
export function restartAsked(held: Held): void {
  stopAsked(held);
  flags(held).restarting = true;
}

/** A user asked for a signal to be sent to it. */
export function signalAsked(held: Held, asked: Omit<AskedSignal, 'at'>): void {
  const { asked: before = [] } = held.live.record.state;
  change(held, { asked: [...before, { ...asked, at: now() }].slice(-KEPT_SIGNALS) });
}

/** The kernel killed one of its processes for lack of memory. */
export function outOfMemory(held: Held, kill: OomKill): void {
  change(held, { oomKill: { ...kill, at: kill.at ?? held.live.record.state.oomKill?.at ?? now() } });
}

/** The program could not be ended. */
export function restartFailed(held: Held): void {
  flags(held).restarting = false;
}

export function exited(held: Held, exit: Exit): void {
  const finishedAt = encodeTimestamp(BigInt(exit.at.getTime()) * 1_000_000n);
  const { startedAt, ends = [] } = held.live.record.state;
  become(held, 'exited', {
    pid: 0,
    exitCode: exit.code ?? 255,
    error:
      exit.code === undefined ? 'the exit code is not known: the monitor of the container was killed' : '',
    ...(exit.code === undefined ? { exitUnknown: true } : {}),
    oomKilled: exit.oomKilled,
    finishedAt,
    ...(exit.signal === undefined ? {} : { exitSignal: exit.signal }),
    ends: [...ends, { startedAt, finishedAt, exitCode: exit.code ?? 255 }].slice(-KEPT_ENDS),
  });
  flags(held).run = undefined;
}

/**
 * The run has left no trace: after a reboot, or because the run directory was deleted.
 * @param startedAt the start of its last run, if no daemon recorded the end of that one
 */
export function lost(held: Held, startedAt: string | undefined): void {
  if (startedAt === undefined) {
    become(held, 'exited');
    return;
  }
  become(held, 'running', { startedAt, startedBefore: true });
  become(held, 'exited', {
    pid: 0,
    exitCode: 255,
    exitUnknown: true,
    error: 'the exit code is not known: it ended while no daemon ran',
    finishedAt: now(),
  });
}

/** Its policy will start it again. */
export function awaitRestart(held: Held): void {
  become(held, 'restarting');
}

/** @param lasted duration of the last run in milliseconds */
export function setRestartTimer(held: Held, { lasted, restart }: { lasted: number; restart(): void }): void {
  const live = flags(held);
  live.restartDelay = nextDelay(live.restartDelay, lasted);
  live.restartTimer = setTimeout(restart, live.restartDelay);
}

/** Its policy starts it. */
export function restartDue(held: Held): void {
  flags(held).restartTimer = undefined;
  change(held, { restartCount: held.live.record.state.restartCount + 1 });
}

/** Cancels a pending restart. True when there was one. */
export function cancelRestart(held: Held): boolean {
  clearTimer(held);
  if (held.live.record.state.status !== 'restarting') return false;
  become(held, 'exited');
  return true;
}

function clearTimer(held: Held): void {
  const live = flags(held);
  clearTimeout(live.restartTimer);
  live.restartTimer = undefined;
  live.restartDelay = 0;
}

/** From now on it cannot be started. */
export function removalAsked(held: Held): void {
  flags(held).removing = true;
}

export function removalFailed(held: Held): void {
  flags(held).removing = false;
}

/** @returns a function that undoes the transition, for a disk that refuses */
export function removing(held: Held): () => void {
  removalAsked(held);
  cancelRestart(held);
  const before = held.live.record.state.status;
  become(held, 'removing');
  return () => {
    become(held, before);
    removalFailed(held);
  };
}

export function removed(held: Held): void {
  flags(held).removed = true;
}
