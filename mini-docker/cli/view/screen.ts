// Lays the view out: the list and the host on the left, the chosen box on the right, the keys below. Pure.
//
//   title                                          time
//   CONTAINERS        │ 1 all  2 processes  …
//   ▸ web  2% 12MiB   │ Processes
//   HOST              │ …
//   keys
import { pressureText } from './figures.ts';
import { graph, HOST, rate } from './history.ts';
import { bar, fitted, folded, type Glyphs, type Tone } from './lines.ts';
import { SECTIONS } from './sections.ts';
import type { DrawnLine, ViewState } from './state.ts';

export interface Size {
  columns: number;
  rows: number;
}

export interface Span {
  text: string;
  tone: Tone | 'bar' | 'lit';
}

/** A line of the window: exactly as wide as the window. */
export type Row = readonly Span[];

export const SMALLEST: Size = { columns: 60, rows: 14 };

const leftWidth = ({ columns }: Size): number => Math.min(36, Math.max(22, Math.floor(columns * 0.28)));
/** Columns of the text of a section, beside the mark of what is lit. */
export const sectionWidth = (size: Size): number => size.columns - leftWidth(size) - 4;
/** Lines of a section: without the title, the tabs and the keys. */
export const sectionHeight = ({ rows }: Size): number => rows - 3;

export function drawScreen(state: ViewState, size: Size, glyphs: Glyphs): Row[] {
  const { columns, rows } = size;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return tooSmall(size, glyphs);
  const cell = (text: string, width: number, tone: Span['tone'] = 'plain'): Span => ({
    text: fitted(text, width, glyphs),
    tone,
  });
  const left = leftCells(state, size, glyphs);
  const right = rightCells(state, size, glyphs);
  const blank: Span = { text: '', tone: 'plain' };
  const body = Array.from({ length: rows - 2 }, (_, index): Row => {
    const [first, second] = [left[index] ?? blank, right[index] ?? []];
    const used = second.reduce((sum, { text }) => sum + [...text].length, 0);
    const room = columns - leftWidth(size) - 2;
    return [
      cell(first.text, leftWidth(size), first.tone),
      { text: `${glyphs.column} `, tone: 'dim' },
      ...(second.length > 0 ? second : [cell('', room)]),
      ...(second.length > 1 && used < room ? [cell('', room - used)] : []),
    ];
  });
  return [
    [cell(titleText(state), columns, 'bar')],
    ...body,
    [cell(keysText(state, columns), columns, keysTone(state))],
  ];
}

function tooSmall({ columns, rows }: Size, glyphs: Glyphs): Row[] {
  const text = `${columns}x${rows}: make the window at least ${SMALLEST.columns}x${SMALLEST.rows}, or press q`;
  return Array.from({ length: rows }, (_, index) => [
    { text: fitted(index === 0 ? text : '', columns, glyphs), tone: 'plain' },
  ]);
}

function titleText({ title, noun, view }: ViewState): string {
  if (view === undefined) return ` ${title}`;
  const { host, boxes, at } = view;
  const running = boxes.filter(({ status }) => status === 'running').length;
  const count = `${boxes.length} ${noun}${boxes.length === 1 ? '' : noun.endsWith('x') ? 'es' : 's'}`;
  const time = new Date(at).toTimeString().slice(0, 8);
  return ` ${time}  ${title} on ${host.name}: ${count}, ${running} running`;
}

function keysText({ asking, message, page, actions, chosen, view }: ViewState, columns: number): string {
  const name = view?.boxes.find(({ id }) => id === chosen)?.name ?? '';
  if (asking !== undefined) return ` ${asking.word} ${name}? y: yes, any other key: no`;
  if (message !== undefined) return ` ${message}`;
  if (page !== undefined) return ' Esc back  PgUp PgDn scroll  q quit';
  const words = ['q quit', ...actions.map(({ key, word }) => `${key} ${word}`)];
  if (columns < 80) return ` ${[...words, '1-8'].join(' ')}`;
  const moves =
    columns >= 120 ? ['arrows choose', '1-8 section', 'PgUp PgDn scroll'] : ['arrows', '1-8', 'PgDn'];
  return ` ${[...words, ...moves].join('  ')}`;
}

const keysTone = ({ asking, message }: ViewState): Span['tone'] =>
  (asking ?? message) === undefined ? 'bar' : 'lit';

function leftCells(state: ViewState, size: Size, glyphs: Glyphs): Span[] {
  const host = hostCells(state, leftWidth(size), glyphs);
  const room = size.rows - 2 - host.length - 2;
  const { view, chosen } = state;
  const boxes = view?.boxes ?? [];
  const at = Math.max(
    0,
    boxes.findIndex(({ id }) => id === chosen),
  );
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), boxes.length - room));
  const shown = boxes.slice(first, first + room);
  const list = shown.map((box): Span => {
    const isChosen = box.id === chosen;
    const samples = state.history.get(box.id) ?? [];
    const cpu = rate(samples, 'cpu');
    const figures = box.usage
      ? `${cpu === undefined ? '' : `${Math.round(cpu / 1e7)}%`} ${compact(box.usage.memory)}`
      : box.status;
    const name = fitted(box.name, Math.max(4, leftWidth(size) - figures.length - 4), glyphs);
    return {
      text: `${isChosen ? glyphs.chosen : ' '} ${name} ${figures}`,
      tone: isChosen ? 'heading' : box.status === 'running' ? 'plain' : 'dim',
    };
  });
  const hidden = boxes.length - shown.length;
  const title = `${state.noun.toUpperCase()}${hidden > 0 ? ` (${first + 1}-${first + shown.length} of ${boxes.length})` : ''}`;
  const top: Span[] = [{ text: title, tone: 'dim' }, ...list];
  if (boxes.length === 0) top.push({ text: view === undefined ? 'looking' : 'none', tone: 'dim' });
  const gap = Array.from(
    { length: Math.max(0, size.rows - 2 - host.length - top.length) },
    (): Span => ({ text: '', tone: 'plain' }),
  );
  return [...top, ...gap, ...host];
}

/** '1.2G', '34M': two digits or more. */
function compact(bytes: number): string {
  const power = Math.max(0, Math.min(4, Math.floor(Math.log2(bytes || 1) / 10)));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)}${'BKMGT'[power]}`;
}

function hostCells({ view, history }: ViewState, width: number, glyphs: Glyphs): Span[] {
  if (view === undefined) return [];
  const { host } = view;
  const samples = history.get(HOST) ?? [];
  const used = (rate(samples, 'cpu') ?? 0) / 1e9 / host.cpus;
  const wide = Math.max(6, width - 15);
  const plain = (text: string): Span => ({ text, tone: 'plain' });
  const pressure = pressureText(host.pressure);
  return [
    { text: `HOST ${host.name}`, tone: 'dim' },
    plain(`cpu  ${bar(used, wide, glyphs)} ${Math.round(used * 100)}% of ${host.cpus}`),
    plain(`     ${graph(samples, 'cpu', { width: wide, glyphs, scale: host.cpus * 1e9 })} 1 min`),
    plain(
      `mem  ${bar(host.memory.used / host.memory.limit, wide, glyphs)} ${compact(host.memory.used)}/${compact(host.memory.limit)}`,
    ),
    plain(`load ${host.load.map(each => each.toFixed(1)).join(' ')}`),
    plain(`${host.tasks} tasks`),
    ...(pressure === '' ? [] : [plain(pressure.replaceAll(', ', ' ').replace('memory', 'mem'))]),
    { text: `Linux ${host.kernel}`, tone: 'dim' },
  ];
}

function rightCells(state: ViewState, size: Size, glyphs: Glyphs): Row[] {
  const room = roomAtRight(size);
  const whole = (text: string, tone: Span['tone'] = 'plain'): Row => [
    { text: fitted(text, room, glyphs), tone },
  ];
  const { page, view, chosen } = state;
  const lines = scrolledLines(state, size);
  if (page !== undefined) return [whole(page.title, 'heading'), ...lines.map(({ text }) => whole(text))];
  const box = view?.boxes.find(({ id }) => id === chosen);
  if (box === undefined) return [whole(''), whole(view === undefined ? '' : state.empty, 'dim')];
  if (state.sections.length === 0)
    return [
      whole(`${box.name}  ${box.image}`, 'heading'),
      whole(box.note),
      ...(box.status === 'running' ? [] : [whole('It is not running: the kernel has nothing of it.', 'dim')]),
    ];
  return [tabs(state, room, glyphs), ...lines.map((line): Row => lineRow(line, room, glyphs))];
}

const roomAtRight = (size: Size): number => size.columns - leftWidth(size) - 2;

/** The lines on the right, from the first that is shown. */
function scrolledLines(state: ViewState, size: Size): DrawnLine[] {
  const lines = linesAtRight(state, size);
  const height = sectionHeight(size);
  const first = Math.min(state.scroll, Math.max(0, lines.length - height));
  return lines.slice(first, first + height);
}

/** Lines that can be scrolled over on the right. */
export function furthestScroll(state: ViewState, size: Size): number {
  return Math.max(0, linesAtRight(state, size).length - sectionHeight(size));
}

/** A section or a page is folded where the window is narrow, and the overview is cut. */
function linesAtRight(state: ViewState, size: Size): readonly DrawnLine[] {
  const { page, tab, view, chosen, sections } = state;
  if (page !== undefined)
    return page.lines.flatMap(line => folded(line, roomAtRight(size)).map(text => ({ text })));
  if (tab > 0)
    return (sections[tab - 1] ?? []).flatMap(line =>
      folded(line.text, sectionWidth(size)).map(text => ({ ...line, text })),
    );
  const box = view?.boxes.find(({ id }) => id === chosen);
  return box === undefined ? [] : everything(state, sectionHeight(size) - 1, box);
}

/** The start of every section: as many lines of each as there is room for, short ones first. */
function everything(
  { sections }: ViewState,
  height: number,
  box: { name: string; image: string; note: string },
): DrawnLine[] {
  const shares = share(
    sections.map(lines => lines.length + 1),
    height,
  );
  return [
    { text: `${box.name}  ${box.image}  ${box.note}`, tone: 'heading' },
    ...sections.flatMap((lines, index): DrawnLine[] => {
      const room = shares[index]! - 1;
      if (room < 0) return [];
      const { heading, name } = SECTIONS[index]!;
      // A table's heading gives way to a row.
      const body = room < 4 && lines[0]?.tone === 'dim' && lines.length > room ? lines.slice(1) : lines;
      const rest = body.length - room;
      // The end of a log is its news.
      const shown = room <= 0 ? [] : name === 'log' ? body.slice(-room) : litFirst(body, room);
      return [
        { text: rest > 0 ? `${heading} (${rest} more: ${index + 2})` : heading, tone: 'heading' },
        ...shown,
      ];
    }),
  ];
}

/** The first lines, and in place of the last of these what is lit further down. */
function litFirst(lines: readonly DrawnLine[], room: number): DrawnLine[] {
  const lit = lines
    .slice(room)
    .filter(line => line.lit)
    .slice(0, Math.ceil(room / 2));
  return [...lines.slice(0, room - lit.length), ...lit];
}

function share(wanted: readonly number[], height: number): number[] {
  const given = wanted.map(() => 0);
  for (let left = height; left > 0; ) {
    const open = wanted.flatMap((want, index) => (given[index]! < want ? [index] : []));
    if (open.length === 0) break;
    for (const index of open) {
      if (left === 0) break;
      given[index]! += 1;
      left -= 1;
    }
  }
  return given;
}

function lineRow({ text, tone = 'plain', lit }: DrawnLine, room: number, glyphs: Glyphs): Row {
  return [{ text: fitted(`${lit ? glyphs.changed : ' '} ${text}`, room, glyphs), tone: lit ? 'lit' : tone }];
}

/** The names of the sections, each with a mark when a line in it is lit. */
function tabs({ sections, tab }: ViewState, room: number, glyphs: Glyphs): Row {
  const names = [{ name: 'all', short: 'all' }, ...SECTIONS];
  const text = (which: 'name' | 'short') =>
    names.map((each, index) => {
      const lit = index > 0 && sections[index - 1]!.some(line => line.lit);
      return `${index + 1}${lit ? glyphs.changed : ' '}${each[which]}`;
    });
  const long = text('name');
  const short = text('short');
  const numbers = short.map((word, index) => (index === tab ? word : word.slice(0, 2).trimEnd()));
  const words = long.join('  ').length <= room ? long : short.join(' ').length <= room ? short : numbers;
  const spans: Span[] = [];
  let used = 0;
  for (const [index, word] of words.entries()) {
    const padded = index === words.length - 1 ? word : `${word}${words === long ? '  ' : ' '}`;
    const width = Math.min(padded.length, room - used);
    if (width <= 0) break;
    spans.push({ text: fitted(padded, width, glyphs), tone: index === tab ? 'heading' : 'dim' });
    used += width;
  }
  return spans;
}

const CODES: Record<Span['tone'], string> = {
  plain: '',
  heading: '1',
  dim: '2',
  good: '94',
  bad: '93',
  bar: '7',
  // Bold and, where there is colour, yellow.
  lit: '1;93',
};

/** A row for the terminal. Without colour, bold, dim and inverse still tell things apart. */
export function encodeRow(row: Row, colour: boolean): string {
  return row
    .map(({ text, tone }) => {
      const code = colour ? CODES[tone] : CODES[tone].replace(/;?9\d/, '');
      return code === '' ? text : `\x1b[${code}m${text}\x1b[0m`;
    })
    .join('');
}
