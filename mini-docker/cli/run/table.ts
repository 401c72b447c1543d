import { commandsIn } from '../command.ts';

export const RUN = commandsIn(() => import('../commands/run.ts'), {
  run: 'Run a command in a new container',
});
