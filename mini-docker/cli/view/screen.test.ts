import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { View } from '../../formats/view.ts';
import { ASCII, UNICODE } from './lines.ts';
import {
  drawScreen,
  encodeRow,
  furthestScroll,
  type Row,
  type Size,
  sectionHeight,
  sectionWidth,
} from './screen.ts';
import { type Action, firstState, looked, pressed, type ViewState } from './state.ts';
import { decodeKeys } from './terminal.ts';
import { viewAt, web } from './testing/example.ts';

const ACTIONS: readonly Action[] = [
  { key: 's', word: 'stop', command: ['stop'], shows: 'message', asks: true },
];

const sizes: Size[] = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
];

const plainText = (rows: readonly Row[]): string[] =>
  rows.map(row =>
    row
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );

function stateAfter(views: readonly View[], size: Size, glyphs = UNICODE): ViewState {
  const first = firstState({ title: 'view', noun: 'container', empty: 'start one', actions: ACTIONS });
  return views.reduce((state, view) => looked(state, view, { glyphs, width: sectionWidth(size) }), first);
}

const press = (state: ViewState, ...keys: string[]): ViewState =>
  keys.reduce((now, key) => pressed(now, key, 20).state, state);

describe.each(sizes)('in a window of $columns x $rows', size => {
  for (const [name, glyphs] of Object.entries({ UNICODE, ASCII })) {
    test(`every row of every section is as wide as the window, in ${name}`, () => {
      const state = stateAfter([viewAt(1), viewAt(2)], size, glyphs);
      for (let tab = 1; tab <= 8; tab += 1) {
        const rows = drawScreen(press(state, String(tab)), size, glyphs);
        expect(rows).toHaveLength(size.rows);
        const texts = rows.map(row => row.map(({ text }) => text).join(''));
        for (const text of texts) expect(stringWidth(text), text).toBe(size.columns);
        if (glyphs.ascii) expect(texts.join('')).toMatch(/^[\x20-\x7e]*$/);
      }
    });

    test(`the overview is the expected picture, in ${name}`, () => {
      const picture = plainText(drawScreen(stateAfter([viewAt(1), viewAt(2)], size, glyphs), size, glyphs));
      // The time is that of this machine's zone.
      expect(picture.map(line => line.replace(/^ \d\d:\d\d:\d\d/, ' 00:00:00')).join('\n')).toMatchSnapshot();
    });
  }
});

const SIZE = sizes[1]!;
const drawing = { glyphs: UNICODE, width: sectionWidth(SIZE) };
const drawn = (state: ViewState, size = SIZE) => plainText(drawScreen(state, size, UNICODE)).join('\n');
const section = (tab: number, views: readonly View[] = [viewAt(1), viewAt(2)]) =>
  drawn(press(stateAfter(views, SIZE), String(tab)));

test('processes are a tree with both pids, and a zombie is called what it is', () => {
  const text = section(2);
  expect(text).toMatch(/1 +4711 +0 +4MB {2}nginx: master/);
  expect(text).toMatch(/7 +4712 +101 +3MB {2}├─ nginx: worker/);
  expect(text).toMatch(/8 +4713 .* └─ \[sh\] \(ended/);
});

test('namespaces say whose they are, and with whom they are shared', () => {
  const text = section(3);
  expect(text).toMatch(/pid +4026532100 +its own \(the host's: 4026531836\)/);
  expect(text).toMatch(/net +4026532105 +its own, shared with sidecar/);
  expect(text).toMatch(/user +4026531837 +the host's/);
});

test('mounts are a tree, with the layers below an overlay', () => {
  const text = section(4);
  expect(text).toMatch(/writes go to \/l\/top\n.*layer 1 +\/l\/1/);
  expect(text).toMatch(/│ {3}└─ \/proc\/keys {2}tmpfs ro|│ {2}└─ \/proc\/keys {2}tmpfs ro/);
  expect(text).toContain('/data  ext4 rw from /dev/vda /srv (master:1)');
});

test('what is used is shown as a share of its limit', () => {
  const text = section(5);
  // Half a processor of one and a half.
  expect(text).toMatch(/cpu +█+░+ .*50% of 1.5 cpus/);
  expect(text).toMatch(/memory +█{8,10}░{8,10} .*32MiB of 64MiB/);
  expect(text).toMatch(/tasks .*3 \(no limit\)/);
  expect(text).toContain('throttled for 2.0 s');
});

test('the network names cable, bridge, addresses and ports', () => {
  const text = section(6);
  expect(text).toContain('eth0 (veth, up) ═══ veth-1 on bridge mini-0 172.17.0.1/16');
  expect(text).toContain('listens  tcp 0.0.0.0:80');
  expect(text).toContain('published  0.0.0.0:8080 -> 80/tcp');
});

test('rights stand beside those of the host', () => {
  expect(section(7)).toMatch(/filter +seccomp \(filter\) +none/);
});

test('a namespace that a process makes is marked, with and without colour, and the mark goes after five seconds', () => {
  const more = {
    ...web,
    namespaces: [
      ...web.namespaces,
      { type: 'uts', inode: 4026532999, hosts: 4026531838, others: [], pids: [4712] },
    ],
  };
  const line = /● uts +4026532999 +one more: pid 4712 \(nginx: worker\)/;
  expect(section(3, [viewAt(1), viewAt(2)])).not.toContain('●');
  expect(section(3, [viewAt(1), viewAt(2, more)])).toMatch(line);
  expect(section(3, [viewAt(1), viewAt(2, more), viewAt(5, more)])).toMatch(line);
  expect(section(3, [viewAt(1), viewAt(2, more), viewAt(8, more)])).not.toContain('●');
  // Another section shows that there is something to see, and so does the overview.
  expect(section(7, [viewAt(1), viewAt(2, more)])).toContain('3●namespaces');
  expect(section(1, [viewAt(1), viewAt(2, more)])).toMatch(line);
});

test('names and logs cannot give orders to the terminal', () => {
  const evil = '\x1b]0;owned\x07\x1b[2J\u202e';
  const view = viewAt(2, { ...web, log: [evil], processes: [{ ...web.processes[0]!, command: evil }] });
  view.boxes[0]!.name = evil;
  view.host.name = evil;
  const state = stateAfter([view], SIZE);
  for (let tab = 1; tab <= 8; tab += 1) {
    for (const row of drawScreen(press(state, String(tab)), SIZE, UNICODE)) {
      const bare = encodeRow(row, true).replace(/\x1b\[[0-9;]*m/g, '');
      expect(bare).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
    }
  }
});

test('without colour only bold, dim and inverse remain', () => {
  const rows = drawScreen(stateAfter([viewAt(1), viewAt(2)], SIZE), SIZE, UNICODE);
  const codes = new Set(rows.flatMap(row => encodeRow(row, false).match(/\x1b\[[0-9;]*m/g) ?? []));
  expect([...codes].sort()).toEqual(['\x1b[0m', '\x1b[1m', '\x1b[2m', '\x1b[7m']);
});

test('keys choose a container, a section and an action that asks first', () => {
  const state = stateAfter([viewAt(1)], SIZE);
  expect(press(state, 'down').chosen).toBe('b'.repeat(64));
  expect(drawn(press(state, 'down'))).toContain('It is not running');
  expect(press(state, 'down', 'up').chosen).toBe(web.id);
  expect(press(state, 'right').tab).toBe(1);
  expect(press(state, 'left').tab).toBe(7);
  const asked = press(state, 's');
  expect(drawn(asked)).toContain('stop web? y: yes');
  expect(pressed(asked, 'n', 20).run).toBeUndefined();
  expect(pressed(asked, 'y', 20).run).toBe(ACTIONS[0]);
  expect(pressed(state, 'q', 20).quit).toBe(true);
});

test('a question is about one container: when that is gone, no other is stopped', () => {
  const state = press(stateAfter([viewAt(1)], SIZE), 's');
  expect(state.asking).toBeDefined();
  const { chosen: _, ...view } = viewAt(2);
  const [, db] = view.boxes;
  const next = looked(state, { ...view, boxes: [db!], wanted: db!.id }, drawing);
  expect(next.chosen).toBe(db!.id);
  expect(pressed(next, 'y', 20).run).toBeUndefined();
  // A container that takes the place of another has not changed.
  const other = { ...web, id: db!.id };
  const moved = looked(state, { ...viewAt(2, other), boxes: [db!], wanted: db!.id }, drawing);
  expect(moved.sections.flat().filter(({ lit }) => lit)).toEqual([]);
});

test('a section and a page are folded in a narrow window, and can be read to the end', () => {
  const narrow = { columns: 60, rows: 20 };
  const long = `/var/lib/${'x'.repeat(100)}/end-of-layer`;
  const overlay = web.mounts[0]!.mounts[0]!;
  const box = { ...web, mounts: [{ ...web.mounts[0]!, mounts: [{ ...overlay, layers: [long] }] }] };
  const shown = (state: ViewState) => plainText(drawScreen(state, narrow, UNICODE)).join('\n');
  const state = stateAfter([viewAt(1, box)], narrow);
  const joined = (text: string) => text.replace(/\n.*?│ +/g, '');
  expect(joined(shown(press(state, '4')))).toContain('end-of-layer');
  const words = Array.from({ length: 40 }, (_, index) => `word-${index}`).join(' ');
  const page = { ...state, page: { title: 'why web', lines: [words, ...words.split(' ')] } };
  expect(furthestScroll(page, narrow)).toBeGreaterThan(24);
  expect(shown({ ...page, scroll: furthestScroll(page, narrow) })).toMatch(/word-39\n.*Esc back/);
  for (const row of shown(page).split('\n')) expect(stringWidth(row)).toBeLessThanOrEqual(60);
});

test('at 60 columns the keys of all actions and the name of the section are there', () => {
  const narrow = { columns: 60, rows: 20 };
  const rows = plainText(drawScreen(press(stateAfter([viewAt(1)], narrow), '5'), narrow, UNICODE));
  expect(rows[1]).toMatch(/1 2 3 4 5 cgroup 6 7 8$/);
  expect(rows.at(-1)).toBe(' q quit s stop 1-8');
});

test('a window that is too small says so', () => {
  const size = { columns: 40, rows: 8 };
  expect(drawn(stateAfter([viewAt(1)], size), size)).toContain('40x8');
  expect(sectionHeight(SIZE)).toBe(37);
});

test('keys are recognised in what terminals send for them', () => {
  expect(decodeKeys('\x1b[A\x1bOBq\x1b[6~\r\t\x03\x1b')).toEqual([
    'up',
    'down',
    'q',
    'pagedown',
    'enter',
    'tab',
    'ctrl-c',
    'escape',
  ]);
});
