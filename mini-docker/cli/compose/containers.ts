// The containers of a project, found by the labels that the daemon stores.

import type { ContainerInspect, ContainerSummary } from '../../formats/engine-api/containers.ts';
import { type DaemonClient, encodeFilters } from '../daemon/client.ts';
import { CommandError, hasStatus } from '../errors.ts';
import { printError } from '../show/output.ts';
import { runHooks } from './hooks.ts';
import { LABEL } from './labels.ts';
import { dependenciesOf, dependencyOrder, type Project } from './project.ts';

export interface ProjectContainer {
  id: string;
  name: string;
  service: string;
  number: number;
  oneOff: boolean;
  hash: string;
  /** State of the container: 'running', 'exited', … */
  state: string;
  summary: ContainerSummary;
}

/** The project's containers, sorted by service and number. */
export async function containersOf(daemon: DaemonClient, project: string): Promise<ProjectContainer[]> {
  const filters = encodeFilters([['label', `${LABEL.project}=${project}`]]);
  const found = await daemon.json<ContainerSummary[]>('GET', '/containers/json', {
    query: { all: true, filters },
  });
  return found
    .map(summary => ({
      id: summary.Id,
      name: summary.Names[0]?.replace(/^\//, '') ?? summary.Id,
      service: summary.Labels[LABEL.service] ?? '',
      number: Number(summary.Labels[LABEL.number] ?? 1),
      oneOff: summary.Labels[LABEL.oneOff] === 'True',
      hash: summary.Labels[LABEL.hash] ?? '',
      state: summary.State,
      summary,
    }))
    .sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : a.number - b.number));
}

export interface Chosen {
  daemon: DaemonClient;
  project: Project;
  /** Names of services; empty for all of them. */
  services: readonly string[];
  /** Whether to include containers of `run`. */
  oneOffs?: boolean;
}

/** @throws CommandError when neither the files nor the daemon know a service */
export async function chosenContainers({
  daemon,
  project,
  services,
  oneOffs = false,
}: Chosen): Promise<ProjectContainer[]> {
  const all = await containersOf(daemon, project.name);
  for (const name of services) {
    if (!Object.hasOwn(project.services, name) && !all.some(({ service }) => service === name))
      throw new CommandError(`no such service: ${name}`);
  }
  return all.filter(
    ({ service, oneOff }) => (oneOffs || !oneOff) && (services.length === 0 || services.includes(service)),
  );
}

/** One container of a service. @throws CommandError when it is not running */
export async function oneContainer(
  chosen: Omit<Chosen, 'services'> & { service: string; index?: number | undefined },
) {
  const { service, index } = chosen;
  const found = await chosenContainers({ ...chosen, services: [service] });
  const container = found.find(({ number, state }) =>
    index === undefined ? state === 'running' : number === index,
  );
  if (container) return container;
  throw new CommandError(
    index === undefined
      ? `service "${service}" is not running`
      : `service "${service}" has no container number ${index}`,
  );
}

export const inspect = (daemon: DaemonClient, id: string): Promise<ContainerInspect> =>
  daemon.json<ContainerInspect>('GET', `/containers/${id}/json`);

let isQuiet = false;
let isDry = false;

/** After `--progress quiet` nothing more is told of each container. */
export function setProgress(how = process.env.COMPOSE_PROGRESS || 'auto', dry = false): void {
  const known = ['auto', 'tty', 'plain', 'json', 'quiet'];
  if (!known.includes(how))
    throw new CommandError(`invalid --progress option ${JSON.stringify(how)}: it is ${known.join(', ')}`);
  isQuiet = how === 'quiet';
  isDry = dry;
}

export function progress(kind: string, name: string, what: string): void {
  if (!isQuiet) printError(`${isDry ? ' DRY-RUN MODE - ' : ''} ${kind} ${name}  ${what}`);
}

/** Runs the action for each container, service by service. */
export function inOrder(order: Order, action: (container: ProjectContainer) => Promise<unknown>) {
  return serviceByService(order, (_, containers) => Promise.all(containers.map(action)));
}

interface Order {
  project: Project;
  containers: readonly ProjectContainer[];
  /** False: a service comes after those that it depends on. True: before them. */
  reverse: boolean;
}

/** Runs the action for each service that has containers. */
export async function serviceByService(
  { project, containers, reverse }: Order,
  action: (service: string, containers: ProjectContainer[]) => Promise<unknown>,
): Promise<void> {
  const known = dependencyOrder(project.services);
  const groups = Map.groupBy(containers, ({ service }) => service);
  // Services missing from the files come last, and stop first, because they may depend on any other.
  const strangers = [...groups.keys()].filter(each => !known.includes(each));
  const names = [...known, ...strangers];
  if (reverse) names.reverse();
  const done = new Map<string, Promise<void>>();
  for (const name of names) {
    const before = names.slice(0, names.indexOf(name)).filter(other => {
      const [later, earlier] = reverse ? [other, name] : [name, other];
      return strangers.includes(later) || dependenciesOf(project.services, later).includes(earlier);
    });
    const run = async () => {
      await Promise.all(before.map(other => done.get(other)));
      const group = groups.get(name);
      if (group) await action(name, group);
    };
    done.set(name, run());
  }
  const results = await Promise.allSettled(done.values());
  const failed = results.find(each => each.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Ignores errors with these statuses: the wished state already holds, or the object is already gone. */
export async function tolerating(statuses: readonly number[], action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!hasStatus(error, ...statuses)) throw error;
  }
}

/** @param options.timeout seconds that its program gets to end */
export async function stopContainer(
  daemon: DaemonClient,
  options: { project: Project; container: ProjectContainer; timeout?: number | undefined },
) {
  const { id, name, state } = options.container;
  progress('Container', name, 'Stopping');
  if (state === 'running') await runHooks(daemon, { ...options, kind: 'pre_stop' });
  const query = { t: options.timeout };
  await tolerating([304, 404], daemon.text('POST', `/containers/${id}/stop`, { query }));
  progress('Container', name, 'Stopped');
}

export async function removeContainer(
  daemon: DaemonClient,
  { id, name }: ProjectContainer,
  volumes: boolean,
) {
  progress('Container', name, 'Removing');
  await tolerating(
    [404],
    daemon.text('DELETE', `/containers/${id}`, { query: { force: true, v: volumes || undefined } }),
  );
  progress('Container', name, 'Removed');
}
