import { ExpectedError } from '../../formats/errors.ts';
import type { Command } from '../command.ts';
import { readState, statusOf } from '../container-state.ts';
import { runningCgroup } from '../processes.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'pause suspends all processes inside the container',
  async run({ globals: { root }, args }) {
    const state = readState(root, args[0]!);
    const status = statusOf(root, state);
    if (status !== 'running' && status !== 'created')
      throw new ExpectedError('conflict', 'container not running');
    await runningCgroup(state).freeze();
  },
};
