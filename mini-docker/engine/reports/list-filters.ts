// The filters of `docker ps`.

import type { Filters } from '../../formats/engine-api/system.ts';
import { badParameter } from '../core/errors.ts';
import { matchesLabels } from '../core/label-filter.ts';
import { nameFilter } from '../core/name-filter.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';

type Test = (live: LiveContainer, values: string[]) => boolean;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

const TESTS: Record<string, Test> = {
  id: ({ id }, values) => values.some(value => id.startsWith(value)),
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
  health: ({ record }, values) => values.includes(record.state.health?.Status ?? 'none'),
  'is-task': (_, values) => values.includes('false') || values.includes('0'),
  isolation: () => true,
};

/** All keys must match, and of each key's values one. @throws badParameter for keys and values that do not exist */
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
