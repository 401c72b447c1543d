// Starts containers in the order of their dependencies, each as soon as its dependencies are ready.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerWaited } from '../../formats/engine-api/containers.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { printError } from '../show/output.ts';
import { inspect, type ProjectContainer, progress, serviceByService, tolerating } from './containers.ts';
import { runHooks } from './hooks.ts';
import type { Project } from './project.ts';
import type { Dependency } from './service.ts';

/** Milliseconds between two checks of a container's health. */
const LOOK_AGAIN = 100;

export interface Starting {
  daemon: DaemonClient;
  project: Project;
  containers: readonly ProjectContainer[];
  /** Wraps each start, and must call it. */
  around?(container: ProjectContainer, start: () => Promise<void>): Promise<void>;
  /** Containers of services that are waited for but not started. */
  others?: readonly ProjectContainer[];
}

/** Rejects when a container cannot be started, or a dependency fails its condition. */
export async function startAll(starting: Starting): Promise<void> {
  const { project, containers, others = [] } = starting;
  await serviceByService({ project, containers, reverse: false }, async (service, own) => {
    await waitForDependencies({ ...starting, containers: [...containers, ...others] }, service);
    await Promise.all(own.map(each => startWith(starting, each)));
  });
}

/** Waits until every dependency of the service meets its condition. */
export async function waitForDependencies(
  { daemon, project, containers }: Starting,
  name: string,
): Promise<void> {
  const dependencies = Object.entries(project.services[name]?.depends_on ?? {});
  await Promise.all(
    dependencies.flatMap(([other, dependency]) =>
      containers
        .filter(({ service }) => service === other)
        .map(container => ready(daemon, container, dependency)),
    ),
  );
}

function startWith({ daemon, project, around }: Starting, container: ProjectContainer): Promise<void> {
  const start = () => startOne(daemon, project, container);
  return around === undefined ? start() : around(container, start);
}

async function startOne(daemon: DaemonClient, project: Project, container: ProjectContainer): Promise<void> {
  if (container.state === 'running') {
    progress('Container', container.name, 'Running');
    return;
  }
  progress('Container', container.name, 'Starting');
  if (container.state === 'paused') await daemon.text('POST', `/containers/${container.id}/unpause`);
  else {
    await tolerating([304], daemon.text('POST', `/containers/${container.id}/start`));
    await runHooks(daemon, { project, container, kind: 'post_start' });
  }
  progress('Container', container.name, 'Started');
}

async function ready(
  daemon: DaemonClient,
  { id, name, service }: ProjectContainer,
  dependency: Dependency,
): Promise<void> {
  const { condition, required } = dependency;
  if (condition === 'service_started') return;
  progress('Container', name, 'Waiting');
  try {
    if (condition === 'service_healthy') await healthy(daemon, { id, name, demanded: true });
    else {
      const { StatusCode } = await daemon.json<ContainerWaited>('POST', `/containers/${id}/wait`);
      if (StatusCode !== 0)
        throw new CommandError(
          `service ${JSON.stringify(service)} didn't complete successfully: exit ${StatusCode}`,
        );
    }
  } catch (error) {
    if (required) throw error;
    printError(`WARNING: optional dependency: ${(error as Error).message}`);
    return;
  }
  progress('Container', name, condition === 'service_healthy' ? 'Healthy' : 'Exited');
}

/** Waits for health. Without a health check the container only has to run, or is an error if `demanded`. */
export async function healthy(
  daemon: DaemonClient,
  { id, name, demanded }: { id: string; name: string; demanded: boolean },
) {
  const failed = (why: string) =>
    new CommandError(
      demanded ? `dependency failed to start: container ${name} ${why}` : `container ${name} ${why}`,
    );
  for (;;) {
    const { State } = await inspect(daemon, id);
    const isUp = State.Running || State.Restarting;
    if (!isUp) throw failed(`exited (${State.ExitCode})`);
    if (State.Health === undefined) {
      if (demanded) throw failed('has no healthcheck configured');
      if (State.Running) return;
    } else if (State.Health.Status === 'healthy') return;
    else if (State.Health.Status === 'unhealthy') throw failed('is unhealthy');
    await sleep(LOOK_AGAIN);
  }
}
