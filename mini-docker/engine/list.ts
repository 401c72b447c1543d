// GET /containers/json: what `docker ps` shows, and its filters.

import type { ContainerSummary, Port } from '../formats/engine-api.ts';
import type { Filters } from '../formats/engine-api-system.ts';
import { humanDuration } from '../formats/human-duration.ts';
import type { EngineContext } from './context.ts';
import { sizesOf } from './disk-sizes.ts';
import type { ListOptions } from './engine.ts';
import { badParameter } from './errors.ts';
import { fullSettings, publicMount, shownPorts } from './inspect.ts';
import { matchesLabels } from './label-filter.ts';
import type { LiveContainer } from './live-container.ts';
import type { ContainerRecord } from './record.ts';

export async function listContainers(
  context: EngineContext,
  options: ListOptions,
): Promise<ContainerSummary[]> {
  const filters = options.filters ?? {};
  const keep = await predicate(context, filters);
  // A filter on the state, or a limit, asks for containers that do not run as well.
  const all =
    options.all ||
    options.limit !== undefined ||
    filters.status !== undefined ||
    filters.exited !== undefined;
  const newestFirst = [...context.containers].sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
  const found = newestFirst.filter(each => (all || each.isRunning) && keep(each)).slice(0, options.limit);
  const tags = new Map((await context.images.list()).map(image => [image.id, image.repoTags] as const));
  return Promise.all(
    found.map(async live => ({
      ...summary(live, tags.get(live.record.imageId) ?? []),
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
      return `Up ${since(state.startedAt)}`;
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

/** As the user wrote it, while that still means this image; else its id. */
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

type Test = (live: LiveContainer, values: string[]) => boolean;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

const TESTS: Record<string, Test> = {
  id: ({ id }, values) => values.some(value => id.startsWith(value)),
  name: ({ name }, values) =>
    values.some(value => namePattern(value).test(`/${name}`) || namePattern(value).test(name)),
  label: ({ record }, values) => matchesLabels(record.config.Labels ?? {}, values),
  status: ({ record }, values) => values.includes(record.state.status),
  exited: ({ record }, values) =>
    record.state.status === 'exited' &&
    record.state.startedBefore &&
    values.includes(String(record.state.exitCode)),
  network: ({ record }, values) =>
    Object.entries(record.networks).some(
      ([name, { NetworkID = '' }]) =>
        values.includes(name) || values.some(value => value !== '' && NetworkID.startsWith(value)),
    ),
  volume: ({ record }, values) =>
    record.mounts.some(({ Name, Source, Destination }) =>
      values.some(value => value === Name || value === Source || value === Destination),
    ),
  publish: (live, values) => matchesPorts(live, { values, isPublished: true }),
  expose: (live, values) => matchesPorts(live, { values, isPublished: false }),
  health: (_, values) => values.includes('none'),
  'is-task': (_, values) => values.includes('false') || values.includes('0'),
  isolation: () => true,
};

async function predicate(
  context: EngineContext,
  filters: Filters,
): Promise<(live: LiveContainer) => boolean> {
  const tests: ((live: LiveContainer) => boolean)[] = [];
  for (const [key, values] of Object.entries(filters)) {
    if (values.length === 0) continue;
    if (key === 'before' || key === 'since') {
      const { created } = context.containers.get(values[0]!).record;
      tests.push(({ record }) => (key === 'before' ? record.created < created : record.created > created));
    } else if (key === 'ancestor') {
      const ids = await ancestors(context, values);
      tests.push(({ record }) => ids.has(record.imageId));
    } else {
      const test = Object.hasOwn(TESTS, key) ? TESTS[key] : undefined;
      if (test === undefined) throw badParameter(`invalid filter '${key}'`);
      checkValues(key, values);
      tests.push(live => test(live, values));
    }
  }
  return live => tests.every(test => test(live));
}

function checkValues(key: string, values: string[]): void {
  const wrong = (value: string) => badParameter(`invalid filter '${key}=${value}'`);
  for (const value of values) {
    if (key === 'status' && !STATUSES.includes(value)) throw wrong(value);
    if (key === 'exited' && !/^\d+$/.test(value)) throw wrong(value);
    if (key === 'name') namePattern(value);
  }
}

async function ancestors(context: EngineContext, references: string[]): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const reference of references) {
    // An image that is not there has no descendants.
    const image = await context.images.get(reference).catch(() => undefined);
    if (!image) continue;
    const layers = image.config.rootfs.diff_ids;
    for (const each of await context.images.list()) {
      const own = each.config.rootfs.diff_ids;
      if (layers.length <= own.length && layers.every((layer, index) => own[index] === layer))
        ids.add(each.id);
    }
    ids.add(image.id);
  }
  return ids;
}

function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw badParameter(`invalid filter 'name=${text}'`);
  }
}

/** '80', '80/udp', '8000-8010/tcp' */
function matchesPorts(
  { record }: LiveContainer,
  { values, isPublished }: { values: string[]; isPublished: boolean },
): boolean {
  const bindings = { ...record.hostConfig.PortBindings, ...record.ports };
  const exposed = Object.keys(record.config.ExposedPorts ?? {});
  const keys = isPublished ? Object.keys(bindings) : [...Object.keys(bindings), ...exposed];
  return values.some(value => {
    const [range = '', protocol = 'tcp'] = value.split('/');
    const [first = 0, last = first] = range.split('-').map(Number);
    return keys.some(key => {
      const [port, keyProtocol = 'tcp'] = key.split('/');
      return keyProtocol === protocol && Number(port) >= first && Number(port) <= last;
    });
  });
}
