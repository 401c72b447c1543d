import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStats, ContainerSummary } from '../../formats/engine-api/containers.ts';
import type { EventMessage } from '../../formats/engine-api/system.ts';
import { shortId } from '../../formats/short-id.ts';
import { encodeBinarySize, encodeSize } from '../../formats/sizes.ts';
import { command } from '../command.ts';
import { type DaemonClient, encodeFilters } from '../daemon/client.ts';
import { containerPath } from '../daemon/object-paths.ts';
import { errorLine } from '../errors.ts';
import { toggle } from '../flags/flags.ts';
import { type Columns, formatFlag, formatListing } from '../show/listing.ts';
import { printError, write } from '../show/output.ts';
import { type Figures, figuresOf } from '../show/stats-figures.ts';

/** Milliseconds between two redraws. */
const REDRAW = 500;
/** Control sequences: move the cursor home, clear the rest of the screen. */
const HOME = '\x1b[H';
const CLEAR_REST = '\x1b[J';

interface Row {
  /** The name as the user wrote it. */
  container: string;
  id: string;
  name: string;
  /** undefined while it is not running, or before the first reading. */
  figures: Figures | undefined;
}

export const stats = command({
  usage: '[OPTIONS] [CONTAINER...]',
  description:
    'Press Ctrl-C to quit. Without arguments it shows all running containers, including those that start later.',
  flags: {
    all: toggle('Show all containers', 'a'),
    format: formatFlag(),
    'no-stream': toggle('Disable streaming stats and only pull the first result'),
    'no-trunc': toggle("Don't truncate output"),
  },
  examples: [
    ['stats', 'Watch all running containers'],
    ["stats --no-stream --format '{{.Name}} {{.MemUsage}}' web", 'Print one value of one container'],
  ],
  async run({ flags, args, daemon }) {
    const rows = new Map<string, Row>();
    const show = async () =>
      formatListing({
        columns: columns(!flags['no-trunc']),
        rows: [...rows.values()].filter(row => row.id !== ''),
        shown: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
        format: flags.format,
      });
    const names = args.length > 0 ? args : await containerIds(daemon, flags.all);
    if (flags['no-stream']) {
      const failed = await Promise.all(names.map(name => watch(daemon, rows, name, false)));
      if (failed.length === 0 || failed.some(each => !each)) write(await show());
      for (const each of failed) if (each) printError(each);
      return failed.some(Boolean) ? 1 : 0;
    }
    await show();
    return live({ daemon, rows, names, show, follow: args.length === 0 });
  },
});

interface Live {
  daemon: DaemonClient;
  rows: Map<string, Row>;
  names: string[];
  show(): Promise<string>;
  /** Whether to add containers that start and drop those that exit. */
  follow: boolean;
}

async function live({ daemon, rows, names, show, follow }: Live): Promise<number> {
  const failures: string[] = [];
  let watching = 0;
  const add = (name: string) => {
    watching += 1;
    void watch(daemon, rows, name, true).then(failure => {
      watching -= 1;
      if (failure) failures.push(failure);
      if (failure || follow) rows.delete(name);
    });
  };
  for (const name of names) add(name);
  if (follow) {
    void (async () => {
      const filters = encodeFilters([
        ['type', 'container'],
        ['event', 'start'],
      ]);
      for await (const { Actor } of daemon.jsonStream<EventMessage>('GET', '/events', { query: { filters } }))
        add(Actor.ID);
    })().catch(() => {});
  }
  write('\x1b[2J');
  for (;;) {
    // Each line is followed by a sequence that clears the rest of an earlier, longer line.
    write(HOME + (await show()).replaceAll('\n', '\x1b[K\n') + CLEAR_REST);
    if (failures.length > 0 || (!follow && watching === 0)) break;
    await sleep(REDRAW);
  }
  for (const failure of failures) printError(failure);
  return failures.length > 0 ? 1 : 0;
}

async function containerIds(daemon: DaemonClient, all: boolean): Promise<string[]> {
  const query = { all: all || undefined };
  return (await daemon.json<ContainerSummary[]>('GET', '/containers/json', { query })).map(each => each.Id);
}

/** Keeps a container's row up to date until it exits. Resolves with the error, if any. */
async function watch(
  daemon: DaemonClient,
  rows: Map<string, Row>,
  container: string,
  stream: boolean,
): Promise<string | undefined> {
  const row: Row = { container, id: '', name: '', figures: undefined };
  rows.set(container, row);
  const path = containerPath(container, '/stats');
  try {
    for await (const each of daemon.jsonStream<ContainerStats>('GET', path, { query: { stream } })) {
      row.id = each.id || row.id;
      row.name = (each.name || row.name).replace(/^\//, '');
      const runs = each.cpu_stats?.cpu_usage !== undefined && !each.read?.startsWith('0001');
      row.figures = runs ? figuresOf(each) : undefined;
    }
    row.figures = stream ? undefined : row.figures;
    return undefined;
  } catch (error) {
    return errorLine(error);
  }
}

function columns(cut: boolean): Columns<Row> {
  const figure = (header: string, show: (figures: Figures) => string) => ({
    header,
    value: ({ figures }: Row) => (figures ? show(figures) : '--'),
  });
  const pair = (a: string, b: string) => `${a} / ${b}`;
  return {
    BlockIO: figure('BLOCK I/O', each => pair(encodeSize(each.read), encodeSize(each.written))),
    CPUPerc: figure('CPU %', each => `${each.cpuPercent.toFixed(2)}%`),
    Container: { header: 'CONTAINER', value: row => (cut ? row.container.slice(0, 12) : row.container) },
    ID: { header: 'CONTAINER ID', value: row => (cut ? shortId(row.id) : row.id) },
    MemPerc: figure('MEM %', each => `${each.memoryPercent.toFixed(2)}%`),
    MemUsage: figure('MEM USAGE / LIMIT', each =>
      pair(encodeBinarySize(each.memory), encodeBinarySize(each.memoryLimit)),
    ),
    Name: { header: 'NAME', value: row => row.name || '--' },
    NetIO: figure('NET I/O', each => pair(encodeSize(each.received), encodeSize(each.sent))),
    PIDs: figure('PIDS', each => String(each.pids)),
  };
}
