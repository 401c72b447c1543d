import type { Command } from '../command.ts';
import { readState } from '../container-state.ts';
import { startContainer } from '../start-container.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'executes the user defined process in a created container',
  async run({ globals: { root }, args }) {
    await startContainer(root, readState(root, args[0]!));
  },
};
