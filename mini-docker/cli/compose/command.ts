// The common part of the commands of `compose`: each starts by opening a project.

import type { Command, Invocation } from '../command.ts';
import type { FlagTable } from '../flags/flags.ts';
import { setProgress } from './containers.ts';
import { makeDry } from './dry-run.ts';
import { openOrName, openProject, type ProjectFlags } from './options.ts';
import type { Project } from './project.ts';

export interface ComposeInvocation<F extends FlagTable> extends Invocation<F> {
  project: Project;
  /** Flags of `compose` itself. */
  projectFlags: ProjectFlags;
}

interface ComposeCommand<F extends FlagTable> extends Omit<Command<F>, 'run'> {
  /** 'files' must exist; for 'name' they may be missing if the project's name is given. */
  needs: 'files' | 'name';
  /** Whether all arguments are services, or only the first one. */
  services?: 'all' | 'first';
  run(invocation: ComposeInvocation<F>): Promise<number | undefined>;
}

export function composeCommand<F extends FlagTable>(definition: ComposeCommand<F>): Command<F> {
  const { needs, services, run, ...rest } = definition;
  return {
    ...rest,
    async run(invocation) {
      const projectFlags = invocation.group as ProjectFlags;
      setProgress(projectFlags.progress, projectFlags['dry-run']);
      const { args } = invocation;
      const asked = services === undefined ? [] : services === 'all' ? args : args.slice(0, 1);
      const open = needs === 'files' ? openProject : openOrName;
      const project = await open({ flags: projectFlags, asked });
      if (projectFlags['dry-run']) makeDry(invocation.daemon);
      // Copying with ... would read the getters, and so connect to the daemon.
      return run(Object.assign(Object.create(invocation), { project, projectFlags }));
    },
  };
}
