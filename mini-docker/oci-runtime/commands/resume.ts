import { ExpectedError } from '../../formats/errors.ts';
import type { Command } from '../command.ts';
import { isAlive, readState } from '../container-state.ts';
import { runningCgroup } from '../processes.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'resumes all processes that have been previously paused',
  async run({ globals: { root }, args }) {
    const state = readState(root, args[0]!);
    // A container may have been paused before it was started.
    if (!isAlive(state) || !runningCgroup(state).isFrozen())
      throw new ExpectedError('conflict', 'container not paused');
    await runningCgroup(state).thaw();
  },
};
