// The filters of `docker ps`.

import type { Filters } from '../../formats/engine-api/system.ts';
import { hasLabels } from '../../formats/filters.ts';
import { badParameter } from '../core/errors.ts';
import { invalidFilter, isTruth } from '../core/filter-values.ts';
import { nameFilter } from '../core/name-filter.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

type Test = (live: LiveContainer, values: string[]) => boolean;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

const TESTS: Record<string, Test> = {
  id: ({ id }, values) => values.some(value => id.startsWith(value)),
  label: ({ record }, values) => hasLabels(record.config.Labels ?? {}, values),
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
  publish: isPublished,
  expose: isExposed,
  health: ({ record }, values) => values.includes(record.state.health?.Status ?? 'none'),
  'is-task': (_, values) => !values.every(value => ['1', 'true'].includes(value)),
  isolation: () => true,
};

/**
 * Whether every key matches; a key matches when one of its values does. @throws badParameter when a key or
 * value does not exist
 */
export async function containerFilter(
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
    } else if (key === 'name') {
      const fits = await nameFilter(values);
      tests.push(({ name }) => fits(`/${name}`) || fits(name));
    } else {
      const test = Object.hasOwn(TESTS, key) ? TESTS[key] : undefined;
      if (test === undefined) throw invalidFilter(key);
      checkValues(key, values);
      tests.push(live => test(live, values));
    }
  }
  return live => tests.every(test => test(live));
}

/** Checks of the filters that do not take arbitrary text. */
const VALUES: Record<string, (value: string) => boolean> = {
  status: value => STATUSES.includes(value),
  exited: value => /^[+-]?\d+$/.test(value),
  health: value => ['none', 'starting', 'healthy', 'unhealthy'].includes(value),
  'is-task': isTruth,
};

function checkValues(key: string, values: string[]): void {
  for (const value of values) {
    if (VALUES[key]?.(value) === false) throw invalidFilter(key, value);
    if (key === 'publish' || key === 'expose') decodePorts(key, value);
  }
}

/** The images that these references name, and all images made from them. */
async function ancestors(context: EngineContext, references: string[]): Promise<Set<string>> {
  const images = new Map((await context.images.list()).map(each => [each.id, each]));
  const ids = new Set<string>();
  for (const reference of references) {
    // A missing image has no descendants.
    const base = await context.images.get(reference).catch(() => undefined);
    if (base === undefined) continue;
    ids.add(base.id);
    for (const { id } of images.values()) {
      let at: string | undefined = id;
      while (at !== undefined && at !== base.id) at = images.get(at)?.parent;
      if (at !== undefined) ids.add(id);
    }
  }
  return ids;
}

/** Whether a host port is published: '8080', '8080/udp', '8000-8010'. */
function isPublished({ record }: LiveContainer, values: string[]): boolean {
  return Object.entries({ ...record.hostConfig.PortBindings, ...record.ports }).some(([key, bindings]) => {
    const protocol = key.split('/')[1] ?? 'tcp';
    return (bindings ?? []).some(({ HostPort = '' }) =>
      values.some(value => hasPort(decodePorts('publish', value), { port: Number(HostPort), protocol })),
    );
  });
}

/** Whether a container port is exposed, or published to the host. */
function isExposed({ record }: LiveContainer, values: string[]): boolean {
  const keys = { ...record.hostConfig.PortBindings, ...record.config.ExposedPorts };
  return Object.keys(keys).some(key => {
    const [port, protocol = 'tcp'] = key.split('/');
    return values.some(value => hasPort(decodePorts('expose', value), { port: Number(port), protocol }));
  });
}

interface Ports {
  first: number;
  last: number;
  protocol: string;
}

const hasPort = ({ first, last, protocol }: Ports, wanted: { port: number; protocol: string }): boolean =>
  protocol === wanted.protocol && wanted.port >= first && wanted.port <= last;

/** @throws badParameter when the value is not a port or a range, in Docker's words */
function decodePorts(key: string, value: string): Ports {
  const wrong = (why: string) => badParameter(`error while looking up for ${key} ${value}: ${why}`);
  const [range = '', protocol = 'tcp'] = value.split('/');
  if (range === '') throw wrong('Empty string specified for ports.');
  const [first, last] = range.split('-').map(text => {
    if (!/^\d+$/.test(text))
      throw wrong(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) > 65_535)
      throw wrong(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
    return Number(text);
  }) as [number, number?];
  if (last !== undefined && last < first) throw wrong(`Invalid range specified for the Port: ${range}`);
  return { first, last: last ?? first, protocol: protocol.toLowerCase() };
}
