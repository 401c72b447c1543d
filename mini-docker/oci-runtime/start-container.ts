// Lets the program of a created container run.
import { closeSync, constants, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ExpectedError } from '../formats/errors.ts';
import { call } from '../linux/call.ts';
import { HeldProcess } from '../linux/held-process.ts';
import { openProcess } from '../linux/proc/identity.ts';
import { mayFail } from '../linux/step.ts';
import { ppoll } from '../linux/syscalls.ts';
import { directoryOf, fifoOf, publicState, type StoredState, statusOf } from './container-state.ts';
import { deleteContainer } from './delete-container.ts';
import { runHooks, runHooksInside } from './hooks.ts';

/** Adds to the errors what failed, as runc does. */
export async function failing(what: string, act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    const { message, exitCode } = error as ExpectedError;
    throw Object.assign(new Error(`${what}: ${message}`, { cause: error }), {
      exitCode,
    });
  }
}

/** @throws ExpectedError when it is not in the state 'created' */
export async function startContainer(root: string, state: StoredState): Promise<void> {
  const status = statusOf(root, state);
  if (status === 'stopped') throw new ExpectedError('conflict', 'cannot start a container that has stopped');
  if (status === 'paused')
    throw new ExpectedError('conflict', 'cannot start a container in the paused state');
  if (status !== 'created') throw new ExpectedError('conflict', 'cannot start an already running container');
  const { spec } = state;
  const directory = directoryOf(root, state.id);
  const fifo = fifoOf(directory);
  try {
    if ((spec.hooks?.startContainer ?? []).length > 0) {
      using process = new HeldIn(state);
      await runHooksInside({
        spec,
        kind: 'startContainer',
        state: publicState(state, 'created'),
        process: process.held,
        as: spec.process,
      });
    }
    release(fifo);
    runHooks(spec, 'poststart', publicState(state, 'running'));
  } catch (error) {
    await deleteContainer(root, state);
    throw error;
  }
}

class HeldIn implements Disposable {
  readonly held: HeldProcess;

  constructor({ process }: StoredState) {
    const pidfd = process && openProcess(process);
    if (pidfd === undefined) throw new ExpectedError('conflict', 'cannot start a container that has stopped');
    this.held = new HeldProcess(pidfd);
  }

  [Symbol.dispose](): void {
    this.held.letGo();
  }
}

/**
 * Writes the byte that the container's process waits for, and waits until it has closed its end, which execve
 * does: hooks and callers may count on the program.
 */
function release(fifo: string): void {
  let fd: number;
  // Only one of two callers can rename it.
  const taken = `${fifo}.taken`;
  try {
    renameSync(fifo, taken);
  } catch (error) {
    throw new ExpectedError('conflict', 'cannot start an already running container', { cause: error });
  }
  try {
    fd = openSync(taken, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    // ENXIO: no process has it open for reading.
    throw new ExpectedError('conflict', 'cannot start a container that has stopped', { cause: error });
  } finally {
    rmSync(taken, { force: true });
  }
  try {
    writeSync(fd, '.');
    // struct pollfd with no events: POLLERR, that the last reader is gone, is always reported. poll(2)
    const wanted = Buffer.alloc(8);
    wanted.writeInt32LE(fd, 0);
    while (call(mayFail(ppoll(wanted, 1, null, null, 8), 'EINTR')) < 0);
  } finally {
    closeSync(fd);
  }
}
