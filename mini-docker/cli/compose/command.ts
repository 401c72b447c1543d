// What the commands of `compose` have in common: each starts from a project.

import type { Command, Invocation } from '../command.ts';
import type { FlagTable } from '../flags/flags.ts';
import { openOrName, openProject, type ProjectFlags } from './options.ts';
import type { Project } from './project.ts';

export interface ComposeInvocation<F extends FlagTable> extends Invocation<F> {
  project: Project;
  /** Of `compose` itself. */
  projectFlags: ProjectFlags;
}

interface ComposeCommand<F extends FlagTable> extends Omit<Command<F>, 'run'> {
  /** 'name': the files may be missing where the project's name is given. */
  needs: 'files' | 'name';
  /** The arguments are services; only the first is where others follow it. */
  services?: 'all' | 'first';
  run(invocation: ComposeInvocation<F>): Promise<number | undefined>;
}

export function composeCommand<F extends FlagTable>(definition: ComposeCommand<F>): Command<F> {
  const { needs, services, run, ...rest } = definition;
  return {
    ...rest,
    async run(invocation) {
      const projectFlags = invocation.group as ProjectFlags;
      const { args } = invocation;
      const asked = services === undefined ? [] : services === 'all' ? args : args.slice(0, 1);
      const open = needs === 'files' ? openProject : openOrName;
      const project = await open({ flags: projectFlags, asked });
      // Not copied with ..., which would connect to the daemon.
      return run(Object.assign(Object.create(invocation), { project, projectFlags }));
    },
  };
}
