// The commands by name. Each is imported when it is asked for: start-up is most of a command's time.
import type { Command } from './command.ts';

type Load = () => Promise<{ command: Command }>;

export const COMMANDS = {
  create: () => import('./commands/create.ts'),
  start: () => import('./commands/start.ts'),
  run: () => import('./commands/run.ts'),
  exec: () => import('./commands/exec.ts'),
  kill: () => import('./commands/kill.ts'),
  delete: () => import('./commands/delete.ts'),
  state: () => import('./commands/state.ts'),
  list: () => import('./commands/list.ts'),
  ps: () => import('./commands/ps.ts'),
  pause: () => import('./commands/pause.ts'),
  resume: () => import('./commands/resume.ts'),
  update: () => import('./commands/update.ts'),
  events: () => import('./commands/events.ts'),
  spec: () => import('./commands/spec.ts'),
  features: () => import('./commands/features.ts'),
} satisfies Record<string, Load>;

export type CommandName = keyof typeof COMMANDS;
