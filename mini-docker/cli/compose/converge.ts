// Brings the containers of a project in line with its files: creates missing containers, replaces those that
// differ, and leaves the others alone.

import { randomBytes } from 'node:crypto';
import type { ContainerCreated } from '../../formats/engine-api/containers.ts';
import type { DaemonClient } from '../daemon/client.ts';
import { CommandError } from '../errors.ts';
import { printError } from '../show/output.ts';
import { type ContainerPlan, planContainer, type Wanted } from './container-body.ts';
import {
  containersOf,
  inOrder,
  inspect,
  type ProjectContainer,
  progress,
  removeContainer,
  stopContainer,
} from './containers.ts';
import { contentOf, filesOf } from './file-contents.ts';
import { ensureImages, type ImageOptions } from './images.ts';
import { LABEL } from './labels.ts';
import { dependencyOrder, type Project, replicasOf, serviceHash } from './project.ts';
import { ensureNetworks, ensureVolumes } from './things.ts';
import { warningsOf } from './warnings.ts';

export interface UpOptions extends ImageOptions {
  /** Names of the services to bring up, including their dependencies. */
  services: readonly string[];
  scale?: ReadonlyMap<string, number>;
  /** When an existing container is replaced: when it differs, always, or never. */
  recreate?: 'different' | 'always' | 'never';
  renewVolumes?: boolean;
  removeOrphans?: boolean;
  /** Seconds that a container gets to stop. */
  timeout?: number | undefined;
}

interface Converging {
  daemon: DaemonClient;
  project: Project;
  options: UpOptions;
  images: ReadonlyMap<string, string>;
  /** Current containers of the whole project. */
  containers: ProjectContainer[];
  /** Names of the services that had a container replaced. */
  replaced: Set<string>;
}

/** The services and all their dependencies, in the order in which they start. */
export function withDependencies(project: Project, services: readonly string[], noDeps = false): string[] {
  for (const name of services)
    if (!Object.hasOwn(project.services, name)) throw new CommandError(`no such service: ${name}`);
  const order = dependencyOrder(project.services);
  if (services.length === 0) return order;
  const wanted = new Set(services);
  if (!noDeps)
    for (const name of [...order].reverse())
      if (wanted.has(name))
        for (const other of Object.keys(project.services[name]!.depends_on ?? {})) wanted.add(other);
  return order.filter(name => wanted.has(name));
}

/** Creates and replaces containers without starting any; returns the containers of these services. */
export async function converge(
  daemon: DaemonClient,
  project: Project,
  options: UpOptions,
): Promise<ProjectContainer[]> {
  const { services } = options;
  for (const name of services) checkUsable(project, name);
  const images = await ensureImages({ daemon, project, services }, options);
  await ensureNetworks(daemon, project, services);
  await ensureVolumes(daemon, project, services);
  const containers = await containersOf(daemon, project.name);
  await orphans({ daemon, project, containers, options });
  const converging: Converging = { daemon, project, options, images, containers, replaced: new Set() };
  for (const name of services) await convergeService(converging, name);
  const now = await containersOf(daemon, project.name);
  return now.filter(({ service, oneOff }) => !oneOff && services.includes(service));
}

/** Errors and warnings about settings that are right, and cannot be had here. */
function checkUsable(project: Project, name: string): void {
  const service = project.services[name]!;
  for (const used of filesOf(project, service)) contentOf(used, project);
  for (const warning of warningsOf(project, name)) printError(`WARNING: ${warning}`);
}

async function orphans({
  daemon,
  project,
  containers,
  options,
}: Omit<Converging, 'images' | 'replaced'>): Promise<void> {
  const found = containers.filter(
    ({ service, oneOff }) =>
      !oneOff && !Object.hasOwn(project.services, service) && !Object.hasOwn(project.disabled, service),
  );
  if (found.length === 0) return;
  if (!options.removeOrphans) {
    printError(
      `WARNING: Found orphan containers (${found.map(({ name }) => name).join(', ')}) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
    );
    return;
  }
  await inOrder({ project, containers: found, reverse: true }, async container => {
    await stopContainer(daemon, { project, container, timeout: options.timeout });
    await removeContainer(daemon, container, false);
  });
}

async function convergeService(converging: Converging, name: string): Promise<void> {
  const { daemon, project, options, images, containers } = converging;
  const service = project.services[name]!;
  const count = options.scale?.get(name) ?? replicasOf(service);
  if (count > 1 && service.container_name !== undefined)
    throw new CommandError(
      `the service ${name} has a container_name, so there can be one container of it only`,
    );
  const hash = serviceHash(project, service);
  const there = containers.filter(each => each.service === name && !each.oneOff);
  const isShared = [service.network_mode, service.ipc, service.pid].some(mode =>
    converging.replaced.has(/^service:(.+)$/.exec(mode ?? '')?.[1] ?? ''),
  );
  const differs = (container: ProjectContainer) => {
    if (isShared) return true;
    if (options.recreate === 'always') return true;
    if (options.recreate === 'never') return false;
    const image = container.summary.Labels[LABEL.image] ?? container.summary.ImageID;
    return container.hash !== hash || image !== images.get(name);
  };
  const kept = [...there]
    .sort((a, b) => Number(differs(a)) - Number(differs(b)) || a.number - b.number)
    .slice(0, count);
  for (const container of there.filter(each => !kept.includes(each))) {
    await stopContainer(daemon, { project, container, timeout: options.timeout });
    await removeContainer(daemon, container, false);
    containers.splice(containers.indexOf(container), 1);
  }
  const { depends_on = {} } = service;
  const restarts = Object.keys(depends_on).some(
    other => depends_on[other]!.restart && converging.replaced.has(other),
  );
  for (const container of kept) {
    if (differs(container)) await replace(converging, container);
    // Only stopped here: it is started again with all the others.
    else if (restarts && container.state === 'running')
      await stopContainer(daemon, { project, container, timeout: options.timeout });
  }
  for (let missing = count - kept.length; missing > 0; missing--) {
    const number =
      Math.max(
        0,
        ...containers.filter(each => each.service === name && !each.oneOff).map(each => each.number),
      ) + 1;
    const containerName = service.container_name ?? `${project.name}-${name}-${number}`;
    progress('Container', containerName, 'Creating');
    const wanted = wantedContainer(converging, { name, number, containerName });
    const id = await createContainer(daemon, planContainer(wanted), containerName);
    progress('Container', containerName, 'Created');
    containers.push(await made(daemon, project, id));
  }
}

const made = async (daemon: DaemonClient, project: Project, id: string): Promise<ProjectContainer> =>
  (await containersOf(daemon, project.name)).find(each => each.id === id)!;

function wantedContainer(
  { project, images, containers }: Pick<Converging, 'project' | 'images' | 'containers'>,
  rest: Pick<Wanted, 'name' | 'number' | 'containerName'> & Partial<Wanted>,
): Wanted {
  return {
    project,
    service: project.services[rest.name]!,
    oneOff: false,
    aliases: true,
    image: images.get(rest.name)!,
    containerOf: other => containers.find(({ service, oneOff }) => service === other && !oneOff)?.id,
    ...rest,
  };
}

/** Removes the old container only when the new one exists, so that a wrong file stops nothing. */
async function replace(converging: Converging, old: ProjectContainer): Promise<void> {
  const { daemon, project, options, containers, replaced } = converging;
  const name = old.service;
  const containerName = project.services[name]!.container_name ?? `${project.name}-${name}-${old.number}`;
  progress('Container', containerName, 'Recreate');
  const inherited = options.renewVolumes ? [] : await anonymousVolumes(converging, old);
  const wanted = wantedContainer(converging, { name, number: old.number, containerName, inherited });
  const temporary = `${old.id.slice(0, 12)}_${containerName}`;
  const id = await createContainer(daemon, planContainer(wanted), temporary);
  try {
    await daemon
      .text('POST', `/containers/${old.id}/stop`, { query: { t: options.timeout } })
      .catch(() => {});
    await daemon.text('DELETE', `/containers/${old.id}`, { query: { force: true } });
  } catch (error) {
    await daemon.text('DELETE', `/containers/${id}`, { query: { force: true } }).catch(() => {});
    throw error;
  }
  await daemon.text('POST', `/containers/${id}/rename`, { query: { name: containerName } });
  progress('Container', containerName, 'Recreated');
  containers.splice(containers.indexOf(old), 1, await made(daemon, project, id));
  replaced.add(name);
}

/** Binds that pass anonymous volumes on to the next container: the user did not ask to lose their data. */
async function anonymousVolumes(
  { daemon, project }: Converging,
  { id, service }: ProjectContainer,
): Promise<string[]> {
  const { Mounts } = await inspect(daemon, id);
  const named = new Set(
    (project.services[service]!.volumes ?? [])
      .filter(({ source }) => source !== undefined)
      .map(({ target }) => target),
  );
  return (Mounts ?? [])
    .filter(
      ({ Type, Name, Destination }) =>
        Type === 'volume' && /^[0-9a-f]{64}$/.test(Name ?? '') && !named.has(Destination),
    )
    .map(({ Name, Destination, RW }) => `${Name}:${Destination}${RW ? '' : ':ro'}`);
}

/** Creates a container, and leaves nothing behind when it rejects. */
export async function createContainer(
  daemon: DaemonClient,
  { body, more, files }: ContainerPlan,
  name: string,
): Promise<string> {
  const { Id, Warnings } = await daemon.json<ContainerCreated>('POST', '/containers/create', {
    query: { name },
    json: body,
  });
  for (const warning of Warnings ?? []) printError(`WARNING: ${warning}`);
  try {
    for (const { network, endpoint } of more)
      await daemon.text('POST', `/networks/${encodeURIComponent(network)}/connect`, {
        json: { Container: Id, EndpointConfig: endpoint },
      });
    if (files !== undefined)
      await daemon.text('PUT', `/containers/${Id}/archive`, { query: { path: '/' }, body: files });
  } catch (error) {
    await daemon.text('DELETE', `/containers/${Id}`, { query: { force: true, v: true } }).catch(() => {});
    throw error;
  }
  return Id;
}

export interface OneOff {
  daemon: DaemonClient;
  project: Project;
  name: string;
  /** Name of the container; generated when undefined. */
  containerName?: string | undefined;
  /** Whether other containers find this one by the service's name. */
  aliases: boolean;
  /** The service, as changed for this one container. */
  service: Project['services'][string];
}

/** The plan and the name of a container for `run`. */
export async function planOneOff({ daemon, project, name, service, containerName, aliases }: OneOff) {
  const images = await ensureImages({ daemon, project, services: [name] }, {});
  await ensureNetworks(daemon, project, [name]);
  await ensureVolumes(daemon, project, [name]);
  const containers = await containersOf(daemon, project.name);
  const called = containerName ?? `${project.name}-${name}-run-${randomBytes(6).toString('hex')}`;
  const wanted = wantedContainer(
    { project, images, containers },
    { name, number: 1, containerName: called, oneOff: true, aliases, service },
  );
  return { plan: planContainer(wanted), containerName: called };
}
