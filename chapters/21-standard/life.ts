// What becomes of a created box: `start`, `kill` and `delete`.
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { constants as system } from 'node:os';
import { call, kill, killProcess, mayFail, openProcess, pidfdSendSignal, SIG, watchExit } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { giveBackGroup, processesIn } from './group.ts';
import { runHooks, runHooksInside } from './hooks.ts';
import { type Box, gateOf, stateOf, statusOf } from './record.ts';

/** Opens the gate. @throws Mistake if the box does not wait there */
export async function start(box: Box): Promise<void> {
  const status = statusOf(box);
  if (status !== 'created') throw new Mistake(`cannot start ${box.id}: it is ${status}`);
  try {
    await runHooksInside(box, 'startContainer');
    const gate = openSync(gateOf(box), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(gate, '!');
    closeSync(gate);
    rmSync(gateOf(box));
    runHooks(box, 'poststart');
  } catch (error) {
    await destroy(box);
    throw error;
  }
}

/** Sends a signal to process 1, or to all of the box. @throws Mistake if there is none any more */
export function signal(box: Box, name: string, all: boolean): void {
  const number = /^\d+$/.test(name)
    ? Number(name)
    : system.signals[`SIG${name.replace(/^SIG/, '')}` as 'SIGTERM'];
  if (number === undefined) throw new Mistake(`there is no signal ${name}`);
  if (all) {
    for (const pid of processesIn(box.group ?? [])) call(mayFail(kill(pid, number), 'ESRCH'));
    return;
  }
  const status = statusOf(box);
  const mayBeSent = status === 'created' || status === 'running';
  const pidfd = mayBeSent && box.process ? openProcess(box.process) : undefined;
  if (pidfd === undefined) throw new Mistake(`cannot send a signal to ${box.id}: it is ${status}`);
  killProcess(pidfd, number);
  closeSync(pidfd);
}

/** @throws Mistake if the box has not stopped, and is not to be ended by force */
export async function remove(box: Box, force: boolean): Promise<void> {
  const status = statusOf(box);
  if (status !== 'stopped' && !force) throw new Mistake(`cannot delete ${box.id}: it is ${status}`);
  await destroy(box);
}

/** Ends whatever is left of a box, gives back what it held, and forgets it. */
export async function destroy(box: Box): Promise<void> {
  const pidfd = box.process && openProcess(box.process);
  if (pidfd !== undefined) {
    // It may be ending already.
    call(mayFail(pidfdSendSignal(pidfd, SIG.KILL, null, 0), 'ESRCH'));
    await watchExit(pidfd);
    closeSync(pidfd);
  }
  signal(box, 'KILL', true);
  await giveBackGroup(box.group ?? []);
  rmSync(box.directory, { recursive: true });
  // Before it had a process, no hook has run: there is nothing of theirs to be cleaned up.
  if (box.process === undefined) return;
  // Nothing is left that a failure could stop, and the others may have more to clean up.
  runHooks(box, 'poststop', stateOf(box, 'stopped'), ({ message }) => console.error(`box: ${message}`));
}
