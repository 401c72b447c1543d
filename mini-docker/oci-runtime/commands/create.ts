import type { Command } from '../command.ts';
import { createContainer } from '../create-container.ts';
import { failing } from '../start-container.ts';
import { createRequest, givesTerminal, START_OPTIONS } from '../start-options.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'create a container',
  options: START_OPTIONS,
  run: invocation =>
    failing('mini-docker-runtime create failed', async () => {
      await createContainer({
        ...createRequest(invocation),
        detached: true,
        onTerminal: givesTerminal(invocation),
      });
      return 0;
    }),
};
