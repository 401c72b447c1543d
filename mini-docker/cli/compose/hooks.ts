// post_start and pre_stop of a service: commands that run in its containers, one after another.

import { frameDecoder } from '../../formats/stream-frames.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { printError } from '../show/output.ts';
import type { Hook } from './hook-shapes.ts';
import type { Lookup } from './interpolate.ts';
import type { Service } from './service.ts';

interface Container {
  id: string;
  name: string;
  /** Name of its service. */
  service: string;
}

interface Running {
  project: { services: Record<string, Service>; disabled: Record<string, Service>; lookup: Lookup };
  container: Container;
  kind: 'post_start' | 'pre_stop';
}

/** @throws CommandError when a hook fails; those after it do not run */
export async function runHooks(daemon: DaemonClient, { project, container, kind }: Running): Promise<void> {
  const { [kind]: hooks = [] } =
    project.services[container.service] ?? project.disabled[container.service] ?? {};
  for (const given of hooks) {
    const variables = variablesOfHook(given, project.lookup);
    const code = await runHook(daemon, container, { ...given, variables });
    if (code !== 0)
      throw new CommandError(
        `${container.service}: the ${kind} hook ${JSON.stringify(given.command!.join(' '))} exited with status ${code}`,
      );
  }
}

/** A variable without a value is that of `compose` itself. */
export const variablesOfHook = ({ environment }: Hook, lookup: Lookup): string[] =>
  Object.entries(environment ?? {}).flatMap(([key, value]) => {
    const known = value ?? lookup(key);
    return known === undefined ? [] : `${key}=${known}`;
  });

/** Runs the command and shows its output. @returns its exit code */
export async function runHook(
  daemon: DaemonClient,
  { id, name }: Pick<Container, 'id' | 'name'>,
  { command, user, privileged, working_dir, variables }: Hook & { variables: string[] },
): Promise<number> {
  const json = {
    Cmd: command,
    AttachStdout: true,
    AttachStderr: true,
    User: user ?? '',
    Privileged: privileged ?? false,
    WorkingDir: working_dir ?? '',
    Env: variables,
  };
  const { Id } = await daemon.json<{ Id: string }>('POST', `/containers/${id}/exec`, { json });
  const { body } = await daemon.request('POST', `/exec/${Id}/start`, { json: { Detach: false, Tty: false } });
  const decoder = frameDecoder();
  let rest = '';
  for await (const chunk of body)
    for (const { data } of decoder.push(chunk)) {
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) printError(`${name} ->  | ${line}`);
    }
  if (rest !== '') printError(`${name} ->  | ${rest}`);
  return (await daemon.json<{ ExitCode: number }>('GET', `/exec/${Id}/json`)).ExitCode;
}
