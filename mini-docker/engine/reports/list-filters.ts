// The filters of `docker ps`.

import type { Filters } from '../../formats/engine-api/system.ts';
import { badParameter } from '../../formats/errors.ts';
import { hasLabels } from '../../formats/filters.ts';
import { lookup } from '../../formats/lookup.ts';
import { invalidFilter, isTruth } from '../core/filter-values.ts';
import { nameFilter } from '../core/name-filter.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { STATUSES } from '../state/record-shape.ts';

type Test = (live: LiveContainer, values: string[]) => boolean;

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
      const test = lookup(TESTS, key);
      if (test === undefined) throw invalidFilter(key);
      values.forEach(lookup(CHECKS, key) ?? (() => {}));
      tests.push(live => test(live, values));
    }
  }
  return live => tests.every(test => test(live));
}

/** Checks of the filters that do not take arbitrary text, with Docker's words for each. */
const CHECKS: Record<string, (value: string) => void> = {
  status: value => {
    if (!STATUSES.includes(value)) throw badParameter(`Invalid filter 'status=${value}'`);
  },
  exited: value => {
    if (!/^[+-]?\d{1,18}$/.test(value)) throw badParameter(notAnInteger(value));
  },
  health: value => {
    if (!['none', 'starting', 'healthy', 'unhealthy'].includes(value))
      throw badParameter(`Unrecognised filter value for health: ${value}`);
  },
  'is-task': value => {
    if (!isTruth(value)) throw invalidFilter('is-task', value);
  },
  publish: value => decodePorts('publish', value),
  expose: value => decodePorts('expose', value),
};

function notAnInteger(value: string): string {
  const why = /^[+-]?\d+$/.test(value) ? 'value out of range' : 'invalid syntax';
  return `strconv.Atoi: parsing ${JSON.stringify(value)}: ${why}`;
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
  if (value.includes(':')) throw badParameter(`filter for '${key}' should not contain ':': ${value}`);
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
