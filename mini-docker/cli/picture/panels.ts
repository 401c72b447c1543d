// The parts of a box, each as a list of items. The network and the mounts have files of their own.

import { encodeSize } from '../../formats/sizes.ts';
import type { BoxView, NamespaceView } from '../../formats/view.ts';
import { html } from '../../web/html.ts';
import { wrapped } from '../show/wrapped.ts';
import { groupGauges, throttledText } from '../view/figures.ts';
import { tree, UNICODE } from '../view/lines.ts';
import { rightsRows, whose } from '../view/sections.ts';
import { gauge } from './gauges.ts';
import { type Drawing, type Item, note } from './items.ts';
import { mounts } from './mounts.ts';
import { network } from './network.ts';
import { branchLines, rectangle, words } from './shapes.ts';

export interface Panel {
  heading: string;
  items(drawing: Drawing): Item[];
}

export const PANELS: readonly Panel[] = [
  { heading: 'Processes', items: processes },
  { heading: 'Namespaces', items: namespaces },
  { heading: 'Network', items: network },
  { heading: 'Control group', items: groups },
  { heading: 'Mounts and layers', items: mounts },
  { heading: 'Rights', items: rights },
  { heading: 'Log', items: log },
];

/** Processes, and lines of the log, that are drawn. */
const MOST = { processes: 60, log: 12 };

function processes({ box, columns }: Drawing): Item[] {
  const found = tree(box.processes, { id: ({ pid }) => pid, parent: ({ parent }) => parent }, UNICODE);
  const memoryAt = columns >= 60 ? columns - 11 : columns;
  const hidden = Math.max(0, found.length - MOST.processes) + box.more;
  return [
    {
      shapes: html`${words('inside', { width: 7, tone: 'quiet' })}${words('on the host', { x: 8, width: 12, tone: 'quiet' })}`,
    },
    ...found.slice(0, MOST.processes).map(({ node, branch }): Item => {
      const { inside, pid, uid, memory, state, command } = node;
      const at = 17 + [...branch].length;
      const ended = state === 'Z' ? ' (ended; its parent has not asked for its exit status)' : '';
      const said = `${command}${ended}`;
      return {
        key: `process ${pid}`,
        said,
        shapes: html`${rectangle({ width: 7, y: 0.1, lines: 0.8, tone: 'own' })}${words(String(inside).padStart(6), { width: 7, tone: 'strong' })}${words(String(pid).padStart(7), { x: 8, width: 8, tone: 'quiet' })}${branchLines(branch, 16)}${words(uid === 0 ? said : `${said} (user ${uid})`, { x: at, width: memoryAt - at, tone: state === 'Z' ? 'quiet' : '' })}${memoryAt < columns && words((memory === 0 ? '-' : encodeSize(memory)).padStart(10), { x: memoryAt, width: 11, tone: 'quiet' })}`,
      };
    }),
    ...(hidden > 0 ? [note(`and ${hidden} more`, columns)] : []),
  ];
}

function namespaces({ box, columns }: Drawing): Item[] {
  const most = Math.max(1, Math.floor((columns + 1) / 30));
  const width = Math.floor((columns + 1) / most) - 1;
  const texts = box.namespaces.map(each => wrapped(whose(each, box).split(' '), width - 2).slice(0, 5));
  const tallest = 1 + Math.max(...texts.map(({ length }) => length));
  return box.namespaces.map((each, index): Item => {
    const { type, inode, hostname } = each;
    return {
      key: `namespace ${type} ${inode}`,
      said: `${inode} ${hostname}`,
      width,
      lines: tallest + 0.3,
      shapes: html`${rectangle({ width, lines: tallest, tone: kindOf(each, box) })}${words(type, { x: 1, width: 8, tone: 'strong' })}${words(`${inode}`.padStart(width - 10), { x: 9, width: width - 9, tone: 'quiet' })}${texts[index]!.map((text, line) => words(text, { x: 1, y: line + 1, width: width - 2 }))}`,
    };
  });
}

/** The class of its frame: its own, one that some of its processes made, or a shared one. */
function kindOf({ inode, hosts, others, pids }: NamespaceView, { pid }: BoxView): string {
  if (inode === hosts) return 'hosts';
  if (others.length > 0) return 'shared';
  return pids.includes(pid) ? 'own' : 'more';
}

function groups({ view, box, history, columns }: Drawing): Item[] {
  const samples = history.get(box.id) ?? [];
  return box.groups.flatMap((group, index): Item[] => {
    const throttled = throttledText(group);
    return [
      {
        key: `group ${group.path}`,
        shapes: words(`${group.path} (version ${group.version})`, { width: columns, tone: 'strong' }),
      },
      // The history is that of process 1's group.
      ...groupGauges(group, { host: view.host, samples: index === 0 ? samples : [] }).map(each =>
        gauge(each, index === 0 ? samples : [], columns),
      ),
      ...(throttled === undefined ? [] : [note(throttled, columns)]),
    ];
  });
}

function rights({ box, view, columns }: Drawing): Item[] {
  const { rights } = box;
  const half = Math.floor((columns - 12) / 2);
  const row = (cells: readonly string[], tone?: string) =>
    html`${words(cells[0]!, { width: 11, tone: 'quiet' })}${words(cells[1]!, { x: 12, width: half, ...(tone && { tone }) })}${words(cells[2]!, { x: 13 + half, width: half - 1, tone: 'quiet' })}`;
  return [
    { shapes: row(['', 'process 1', 'on the host'], 'quiet') },
    ...rightsRows(rights, view.host.rights).map(
      (cells): Item => ({ key: `right ${cells[0]}`, said: cells[1], shapes: row(cells) }),
    ),
    note('capabilities of process 1', columns),
    ...wrapped(rights.capabilities, columns).map(
      (text, index): Item => ({
        key: `capabilities ${index}`,
        said: text,
        shapes: words(text, { width: columns }),
      }),
    ),
  ];
}

function log({ box, columns }: Drawing): Item[] {
  if (box.log === undefined) return [note('it keeps no log that can be read', columns)];
  if (box.log.length === 0) return [note('nothing yet', columns)];
  return box.log.slice(-MOST.log).map(text => ({ shapes: words(text, { width: columns }) }));
}
