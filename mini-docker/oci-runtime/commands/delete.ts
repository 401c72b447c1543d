import { existsSync } from 'node:fs';
import { ExpectedError } from '../../formats/errors.ts';
import { type Command, flag, toggle } from '../command.ts';
import {
  checkId,
  directoryOf,
  readState,
  removeDirectory,
  type StoredState,
  statusOf,
} from '../container-state.ts';
import { deleteContainer } from '../delete-container.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'delete any resources held by the container often used with detached container',
  options: {
    force: toggle('forcibly deletes the container if it is still running (uses SIGKILL)', 'f'),
  },
  async run(invocation) {
    const { root } = invocation.globals;
    const id = invocation.args[0]!;
    const force = flag(invocation, 'force');
    checkId(id);
    let state: StoredState;
    try {
      state = readState(root, id);
    } catch (error) {
      if (!force) throw error;
      // A creator that was killed at its first steps left a directory, and nothing else.
      if (existsSync(directoryOf(root, id))) removeDirectory(directoryOf(root, id));
      return 0;
    }
    const status = statusOf(root, state);
    if (!force && (status === 'running' || status === 'paused'))
      throw new ExpectedError('conflict', `cannot delete container ${id} that is not stopped: ${status}`);
    await deleteContainer(root, state);
  },
};
