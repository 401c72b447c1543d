import { closeSync } from 'node:fs';
import type { Command } from '../command.ts';
import { text } from '../command.ts';
import { createContainer } from '../create-container.ts';
import { failing } from '../start-container.ts';
import { createRequest, START_OPTIONS, terminalTo } from '../start-options.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'create a container',
  count: [1, 1],
  options: START_OPTIONS,
  run: invocation =>
    failing('mini-docker-runtime create failed', async () => {
      const socket = text(invocation, 'console-socket');
      const onTerminal = (master: number): void => {
        terminalTo(socket!)(master);
        closeSync(master);
      };
      await createContainer({
        ...createRequest(invocation),
        detached: true,
        onTerminal: socket === undefined ? undefined : onTerminal,
      });
      return 0;
    }),
};
