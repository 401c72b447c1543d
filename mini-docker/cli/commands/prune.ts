import type { BuildPruned } from '../../formats/engine-api/build.ts';
import type { ImagesPruned } from '../../formats/engine-api/images.ts';
import type { ContainersPruned } from '../../formats/engine-api/system.ts';
import { decodeSize, encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { type DaemonClient, encodeFilters, type Query } from '../daemon/client.ts';
import { CommandError, hasStatus } from '../errors.ts';
import { filterFlag } from '../flags/filter.ts';
import { toggle, value } from '../flags/flags.ts';
import { print, write } from '../show/output.ts';

const force = toggle('Do not prompt for confirmation', 'f');
const filter = filterFlag("Provide filter values (e.g. 'until=24h', 'label=a=b')");
type Filters = readonly (readonly [string, string])[];

export const builderPrune = command({
  usage: '[OPTIONS]',
  flags: {
    all: toggle('Remove all unused build cache, not just dangling ones', 'a'),
    filter: filterFlag("Provide filter values (e.g. 'until=24h')"),
    force,
    'keep-storage': value('bytes', 'Amount of disk space to keep for cache', decodeSize),
  },
  examples: [['builder prune -f', 'Remove the build cache']],
  run({ flags, daemon }) {
    const what = flags.all ? 'all build cache' : 'all dangling build cache';
    return confirmed({ force: flags.force, what: [what] }, async () => {
      const filters = encodeFilters(flags.filter);
      return pruneCache(daemon, { filters, all: flags.all, 'keep-storage': flags['keep-storage'] });
    });
  },
});

export const containerPrune = command({
  usage: '[OPTIONS]',
  flags: { filter, force },
  examples: [['container prune -f', 'Remove all stopped containers']],
  run({ flags, daemon }) {
    return confirmed({ force: flags.force, what: ['all stopped containers'] }, () =>
      pruneContainers(daemon, flags.filter),
    );
  },
});

export const imagePrune = command({
  usage: '[OPTIONS]',
  flags: { all: toggle('Remove all unused images, not just dangling ones', 'a'), filter, force },
  examples: [['image prune -f', 'Remove dangling images']],
  run({ flags, daemon }) {
    const what = flags.all
      ? 'all images without at least one container associated to them'
      : 'all dangling images';
    return confirmed({ force: flags.force, what: [what] }, () =>
      pruneImages(daemon, flags.all, flags.filter),
    );
  },
});

export const networkPrune = command({
  usage: '[OPTIONS]',
  flags: { filter, force },
  examples: [['network prune -f', 'Remove networks not used by any container']],
  async run({ flags, daemon }) {
    const what = 'all custom networks not used by at least one container';
    if (!flags.force && !(await agreed([what]))) return 0;
    const { lines } = await pruneNamed(daemon, 'networks', 'NetworksDeleted', flags.filter);
    for (const line of lines) print(line);
  },
});

export const volumePrune = command({
  usage: '[OPTIONS]',
  flags: {
    all: toggle('Remove all unused images, not just dangling ones', 'a'),
    filter: filterFlag("Provide filter values (e.g. 'label=<label>')"),
    force,
  },
  examples: [['volume prune', 'Remove unused anonymous volumes after confirmation']],
  run({ flags, daemon }) {
    const what = `${flags.all ? 'all' : 'anonymous'} local volumes not used by at least one container`;
    const wanted: Filters = flags.all ? [...flags.filter, ['all', 'true']] : flags.filter;
    return confirmed({ force: flags.force, what: [what] }, () =>
      pruneNamed(daemon, 'volumes', 'VolumesDeleted', wanted),
    );
  },
});

export const systemPrune = command({
  usage: '[OPTIONS]',
  flags: {
    all: toggle('Remove all unused images not just dangling ones', 'a'),
    filter,
    force,
    volumes: toggle('Prune volumes'),
  },
  examples: [['system prune', 'Remove unused data after confirmation']],
  async run({ flags, daemon }) {
    if (flags.volumes && flags.filter.some(([key]) => key === 'until'))
      throw new CommandError('ERROR: The "until" filter is not supported with "--volumes"');
    const what = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(flags.volumes ? ['all anonymous volumes not used by at least one container'] : []),
      flags.all ? 'all images without at least one container associated to them' : 'all dangling images',
      flags.all ? 'all build cache' : 'all dangling build cache',
    ];
    const limits = flags.filter.map(([key, value]) => `${key}=${value}`);
    return confirmed({ force: flags.force, what, limits }, async () => {
      const parts = [
        await pruneContainers(daemon, flags.filter),
        await pruneNamed(daemon, 'networks', 'NetworksDeleted', flags.filter),
        ...(flags.volumes ? [await pruneNamed(daemon, 'volumes', 'VolumesDeleted', flags.filter)] : []),
        await pruneImages(daemon, flags.all, flags.filter),
        await pruneCache(daemon, { filters: encodeFilters(flags.filter), all: flags.all }),
      ];
      return {
        lines: parts.flatMap(each => each.lines),
        space: parts.reduce((sum, each) => sum + each.space, 0),
      };
    });
  },
});

interface Pruned {
  lines: string[];
  space: number;
}

interface Question {
  force: boolean;
  what: string[];
  /** The filters, as the user gave them. */
  limits?: string[];
}

async function confirmed(question: Question, prune: () => Promise<Pruned>): Promise<number> {
  if (!question.force && !(await agreed(question.what, question.limits))) return 0;
  const { lines, space } = await prune();
  for (const line of lines) print(line);
  print(`Total reclaimed space: ${encodeSize(space, 4)}`);
  return 0;
}

async function agreed(what: string[], limits: string[] = []): Promise<boolean> {
  const listed = (items: string[]) => `:\n${items.map(each => `  - ${each}`).join('\n')}\n`;
  const filtered = limits.length === 0 ? '' : `\n  Items to be pruned will be filtered with${listed(limits)}`;
  const list = what.length === 1 ? ` ${what[0]}.` : `${listed(what)}${filtered}`;
  write(`WARNING! This will remove${list}\nAre you sure you want to continue? [y/N] `);
  return /^y(es)?$/i.test(await answer());
}

async function answer(): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const input = createInterface({ input: process.stdin });
  for await (const line of input) {
    input.close();
    return line.trim();
  }
  return '';
}

const section = (title: string, names: string[]) =>
  names.length === 0 ? [] : [`Deleted ${title}:`, ...names, ''];

async function pruneContainers(daemon: DaemonClient, filters: Filters): Promise<Pruned> {
  const query = { filters: encodeFilters(filters) };
  const pruned = await daemon.json<ContainersPruned>('POST', '/containers/prune', { query });
  return { lines: section('Containers', pruned.ContainersDeleted ?? []), space: pruned.SpaceReclaimed ?? 0 };
}

async function pruneCache(daemon: DaemonClient, query: Query): Promise<Pruned> {
  const pruned = await daemon.json<BuildPruned>('POST', '/build/prune', { query });
  return {
    lines: section('build cache objects', pruned.CachesDeleted ?? []),
    space: pruned.SpaceReclaimed ?? 0,
  };
}

async function pruneImages(daemon: DaemonClient, all: boolean, filters: Filters): Promise<Pruned> {
  const query = { filters: encodeFilters([...filters, ['dangling', String(!all)]]) };
  const pruned = await daemon.json<ImagesPruned>('POST', '/images/prune', { query });
  const names = (pruned.ImagesDeleted ?? []).map(({ Deleted, Untagged }) =>
    Deleted === undefined ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
  );
  return { lines: section('Images', names), space: pruned.SpaceReclaimed ?? 0 };
}

async function pruneNamed(
  daemon: DaemonClient,
  kind: 'networks' | 'volumes',
  field: 'NetworksDeleted' | 'VolumesDeleted',
  filters: Filters,
): Promise<Pruned> {
  const query = { filters: encodeFilters(filters) };
  try {
    const pruned = await daemon.json<Record<string, string[] | null> & { SpaceReclaimed?: number }>(
      'POST',
      `/${kind}/prune`,
      { query },
    );
    const title = kind === 'networks' ? 'Networks' : 'Volumes';
    return { lines: section(title, pruned[field] ?? []), space: pruned.SpaceReclaimed ?? 0 };
  } catch (error) {
    // A daemon without this kind of object has none to remove.
    if (hasStatus(error, 404, 501)) return { lines: [], space: 0 };
    throw error;
  }
}
