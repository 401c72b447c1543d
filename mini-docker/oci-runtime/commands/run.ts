import { closeSync } from 'node:fs';
import { type Command, flag, text } from '../command.ts';
import { createContainer } from '../create-container.ts';
import { deleteContainer } from '../delete-container.ts';
import { relayTerminal, waitFor } from '../foreground.ts';
import { failing, startContainer } from '../start-container.ts';
import { createRequest, START_OPTIONS, terminalTo } from '../start-options.ts';

export const command: Command = {
  args: '<container-id>',
  summary: 'create and run a container',
  count: [1, 1],
  options: {
    ...START_OPTIONS,
    detach: { type: 'boolean', short: 'd', help: "detach from the container's process" },
    keep: { type: 'boolean', help: 'do not delete the container after it exits' },
    'no-subreaper': { type: 'boolean', help: 'ignored: this runtime is no subreaper' },
  },
  run: invocation =>
    failing('mini-docker-runtime run failed', async () => {
      const request = createRequest(invocation);
      const socket = text(invocation, 'console-socket');
      const detached = flag(invocation, 'detach');
      let master: number | undefined;
      const keepMaster = (fd: number): void => {
        master = fd;
      };
      const give = (fd: number): void => {
        terminalTo(socket!)(fd);
        closeSync(fd);
      };
      const created = await createContainer({
        ...request,
        detached,
        onTerminal: socket !== undefined ? give : detached ? undefined : keepMaster,
      });
      const relay = master === undefined ? undefined : relayTerminal(master);
      try {
        await startContainer(request.root, created.state);
      } catch (error) {
        relay?.end();
        throw error;
      }
      created.launched.close();
      if (detached) return 0;
      const code = await waitFor(created.process);
      await relay?.drained;
      if (!flag(invocation, 'keep')) await deleteContainer(request.root, created.state);
      return code;
    }),
};
