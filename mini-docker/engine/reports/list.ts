// GET /containers/json: the rows of `docker ps`.

import type { ContainerSummary, Port } from '../../formats/engine-api/containers.ts';
import type { ListOptions } from '../core/engine.ts';
import { sizesOf } from '../files/disk-sizes.ts';
import { linkNames } from '../networks/links.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import type { ContainerRecord } from '../state/record.ts';
import { humanDuration } from './human-duration.ts';
import { fullSettings, publicMount, shownPorts } from './inspect.ts';
import { containerFilter } from './list-filters.ts';

export async function listContainers(
  context: EngineContext,
  options: ListOptions,
): Promise<ContainerSummary[]> {
  const filters = options.filters ?? {};
  const keep = await containerFilter(context, filters);
  // A filter on the state, or a limit, includes containers that are not running.
  const all =
    options.all ||
    options.limit !== undefined ||
    filters.status !== undefined ||
    filters.exited !== undefined;
  const newestFirst = [...context.containers].sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
  const found = newestFirst.filter(each => (all || each.isRunning) && keep(each)).slice(0, options.limit);
  const tags = new Map((await context.images.list()).map(image => [image.id, image.repoTags] as const));
  const links = linkNames(context.containers);
  return Promise.all(
    found.map(async live => ({
      ...summary(live, tags.get(live.record.imageId) ?? []),
      Names: [`/${live.name}`, ...(links.get(live.id) ?? [])],
      ...(options.size ? await sizesOf(context, live) : {}),
    })),
  );
}

export function summary({ record }: LiveContainer, imageTags: string[]): ContainerSummary {
  const { config, hostConfig } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: shownImage(record, imageTags),
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: ports(record),
    Labels: config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record),
    HostConfig: { NetworkMode: hostConfig.NetworkMode ?? '', Annotations: hostConfig.Annotations ?? {} },
    NetworkSettings: {
      Networks: Object.fromEntries(
        Object.entries(record.networks).map(([name, settings]) => [name, fullSettings(settings)]),
      ),
    },
    Mounts: record.mounts.map(publicMount),
  };
}

/** 'Up 2 minutes', 'Exited (0) About an hour ago' */
export function statusText({ state }: ContainerRecord, now = Date.now()): string {
  const since = (time: string) => humanDuration(now - Date.parse(time));
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    default:
      return Date.parse(state.finishedAt) > 0
        ? `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`
        : `Exited (${state.exitCode})`;
  }
}

function healthText({ health }: ContainerRecord['state']): string {
  if (health === undefined) return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}

/** The image as the user wrote it, while that still names this image; else its id. */
function shownImage({ config, imageId }: ContainerRecord, tags: string[]): string {
  const wanted = config.Image ?? '';
  if (tags.includes(wanted) || tags.includes(`${wanted}:latest`) || wanted.includes('@')) return wanted;
  return wanted !== '' && imageId.startsWith(`sha256:${wanted.replace(/^sha256:/, '')}`) ? wanted : imageId;
}

function commandText({ path, args }: ContainerRecord): string {
  return [path, ...args.map(arg => (/\s/.test(arg) ? `'${arg}'` : arg))].join(' ');
}

function ports(record: ContainerRecord): Port[] {
  if (record.state.pid === 0) return [];
  return Object.entries(shownPorts(record)).flatMap(([key, bindings]): Port[] => {
    const [number = '', Type = 'tcp'] = key.split('/');
    const PrivatePort = Number(number);
    if (!Number.isInteger(PrivatePort)) return [];
    if (!bindings?.length) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      ...(HostIp ? { IP: HostIp } : {}),
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }));
  });
}
