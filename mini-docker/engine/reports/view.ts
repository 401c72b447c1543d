// GET /mini-docker/view: looks at the machine, one after another. Only the chosen container is read in depth.

import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { quietly } from '../../formats/quietly.ts';
import type { BoxRow, BoxView, Usage, View } from '../../formats/view.ts';
import { readBox } from '../../view/box.ts';
import { readBridges } from '../../view/bridges.ts';
import { readUsage } from '../../view/groups.ts';
import { readHost } from '../../view/host.ts';
import type { Neighbour } from '../../view/namespaces.ts';
import type { ViewOptions } from '../core/system-api.ts';
import { decodeLogOptions } from '../spec/log-options.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { readLog } from '../streams/log-reader.ts';
import { shownPorts } from './inspect.ts';
import { statusText } from './list.ts';

/** Milliseconds. */
const SHORTEST = 200;
/** For each container, that its figures in the list may be older: with 50 of them, 4 s. */
const AGE_EACH = 80;
/** Lines of the log, and characters of each. */
const LOG = { lines: 50, longest: 500 };

/** @throws notFound when `container` names none at the first look */
export function viewMachine(context: EngineContext, options: ViewOptions): AsyncIterable<View> {
  const { container, interval, signal } = options;
  const asked = container === undefined ? undefined : context.containers.get(container);
  return looks(context, {
    asked,
    interval: Math.max(interval, SHORTEST),
    signal: AbortSignal.any([signal, context.closing]),
  });
}

async function* looks(
  context: EngineContext,
  options: { asked: LiveContainer | undefined; interval: number; signal: AbortSignal },
): AsyncGenerator<View> {
  const { asked, interval, signal } = options;
  const readTail = logTail();
  const usageOf = usages();
  while (!signal.aborted) {
    const all = [...context.containers].sort(byStart);
    const wanted = asked?.removed === false ? asked : all[0];
    const chosen = wanted && (await inDepth(wanted, all));
    const log = chosen && wanted && (await readTail(context, wanted));
    yield {
      at: Date.now(),
      host: readHost(),
      bridges: readBridges(neighboursOf(all)),
      boxes: all.map(live => row(live, usageOf(live, live === wanted ? 0 : all.length * AGE_EACH))),
      ...(wanted === undefined ? {} : { wanted: wanted.id }),
      ...(chosen === undefined ? {} : { chosen: log === undefined ? chosen : { ...chosen, log } }),
    };
    await sleep(interval, undefined, { signal }).catch(() => {});
  }
}

/** Running ones first, of these and of the others the newest first. */
function byStart(a: LiveContainer, b: LiveContainer): number {
  if (a.isRunning !== b.isRunning) return a.isRunning ? -1 : 1;
  return a.record.created < b.record.created ? 1 : -1;
}

/** Reads what a container uses, unless it was read less than `age` milliseconds ago. */
function usages(): (live: LiveContainer, age: number) => Usage | undefined {
  const known = new WeakMap<object, Usage | undefined>();
  return ({ run }, age) => {
    if (run === undefined) return undefined;
    const before = known.get(run);
    if (before !== undefined && Date.now() - before.at < age) return before;
    // It may end during the look.
    const usage = quietly(() => readUsage(run.container.pid));
    known.set(run, usage);
    return usage;
  };
}

function row(live: LiveContainer, usage: Usage | undefined): BoxRow {
  const { id, record } = live;
  return {
    id,
    name: record.name,
    image: record.config.Image ?? '',
    status: record.state.status,
    note: statusText(record),
    published: published(live),
    ...(usage === undefined ? {} : { usage }),
  };
}

const neighboursOf = (all: readonly LiveContainer[]): Neighbour[] =>
  all.flatMap(({ name, run }) => (run === undefined ? [] : [{ name, pid: run.container.pid }]));

async function inDepth(live: LiveContainer, all: readonly LiveContainer[]): Promise<BoxView | undefined> {
  const { run } = live;
  if (run === undefined) return undefined;
  const found = await readBox({
    id: live.id,
    main: run.container.pid,
    pids: run.container.processes(),
    neighbours: neighboursOf(all.filter(({ id }) => id !== live.id)),
  });
  if (found !== undefined) found.published = published(live);
  return found;
}

function published({ record }: LiveContainer): string[] {
  return Object.entries(shownPorts(record)).flatMap(([inside, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => {
      const address = HostIp?.includes(':') ? `[${HostIp}]` : (HostIp ?? '');
      return `${address}:${HostPort} -> ${inside}`;
    }),
  );
}

/** Reads the end of a log again only when the file has grown or was replaced. */
function logTail(): (context: EngineContext, live: LiveContainer) => Promise<string[] | undefined> {
  let before = '';
  let lines: string[] = [];
  return async (context, live) => {
    if (!decodeLogOptions(live.record.hostConfig).keeps) return undefined;
    const path = context.paths.container(live.id).log;
    const stat = statSync(path, { throwIfNoEntry: false });
    const now = `${stat?.ino} ${stat?.size} ${stat?.mtimeMs}`;
    if (now === before) return lines;
    before = now;
    lines = [];
    for await (const { data } of readLog({ path, tail: LOG.lines }))
      lines.push(
        Buffer.from(data)
          .toString()
          .replace(/\r?\n$/, '')
          .slice(0, LOG.longest),
      );
    return lines;
  };
}
