import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { BoxView, RightsView, View } from '../../formats/view.ts';
import { ASCII, UNICODE } from './lines.ts';
import { drawScreen, encodeRow, plainText, type Size, sectionHeight, sectionWidth } from './screen.ts';
import { type Action, firstState, looked, pressed, type ViewState } from './state.ts';
import { decodeKeys } from './terminal.ts';

const rights: RightsView = {
  uid: 0,
  gid: 0,
  groups: [],
  uidMap: ['0 0 4294967295'],
  capabilities: ['CHOWN', 'KILL'],
  bounding: 14,
  all: 41,
  noNewPrivileges: false,
  seccomp: 'filter',
};

const traffic = { bytes: 1200, packets: 12, dropped: 0 };

const web: BoxView = {
  id: 'a'.repeat(64),
  pid: 4711,
  processes: [
    { pid: 4711, parent: 1, inside: 1, uid: 0, state: 'S', cpu: 1e9, memory: 4e6, command: 'nginx: master' },
    {
      pid: 4712,
      parent: 4711,
      inside: 7,
      uid: 101,
      state: 'S',
      cpu: 0,
      memory: 3e6,
      command: 'nginx: worker',
    },
    { pid: 4713, parent: 4711, inside: 8, uid: 0, state: 'Z', cpu: 0, memory: 0, command: '[sh]' },
  ],
  more: 0,
  namespaces: [
    { type: 'pid', inode: 4026532100, hosts: 4026531836, others: [], pids: [4711, 4712, 4713] },
    { type: 'net', inode: 4026532105, hosts: 4026531840, others: ['sidecar'], pids: [4711, 4712] },
    { type: 'user', inode: 4026531837, hosts: 4026531837, others: ['sidecar'], pids: [4711, 4712] },
  ],
  mounts: [
    {
      inode: 4026532101,
      pid: 4711,
      mounts: [
        {
          id: 50,
          parent: 20,
          point: '/',
          type: 'overlay',
          source: 'overlay',
          readonly: false,
          propagation: '',
          layers: ['/l/top', '/l/1'],
        },
        {
          id: 51,
          parent: 50,
          point: '/proc',
          type: 'proc',
          source: 'proc',
          readonly: false,
          propagation: '',
        },
        {
          id: 52,
          parent: 51,
          point: '/proc/keys',
          type: 'tmpfs',
          source: 'tmpfs',
          readonly: true,
          propagation: '',
        },
        {
          id: 53,
          parent: 50,
          point: '/data',
          type: 'ext4',
          source: '/dev/vda',
          root: '/srv',
          readonly: false,
          propagation: 'master:1',
        },
      ],
    },
  ],
  groups: [
    {
      path: '/mini-docker/aaaa',
      version: 2,
      pids: [4711],
      cpu: { used: 1e9, limit: 1.5, throttled: 2e9 },
      memory: { used: 32 << 20, limit: 64 << 20 },
      tasks: { used: 3 },
      io: { read: 4096, written: 0 },
      pressure: { cpu: 10, memory: 0, io: 0 },
    },
  ],
  networks: [
    {
      inode: 4026532105,
      pid: 4711,
      links: [
        {
          name: 'eth0',
          kind: 'veth',
          up: true,
          mac: '02:42:ac:11:00:02',
          mtu: 1500,
          addresses: ['172.17.0.2/16'],
          received: traffic,
          sent: traffic,
          peer: { name: 'veth-1', bridge: 'mini-0', bridgeAddresses: ['172.17.0.1/16'] },
        },
      ],
      listening: [{ protocol: 'tcp', address: '0.0.0.0', port: 80 }],
    },
  ],
  published: ['0.0.0.0:8080 -> 80/tcp'],
  rights,
  log: ['first line', 'last line'],
};

function viewAt(seconds: number, chosen: BoxView = web): View {
  return {
    at: seconds * 1000,
    host: {
      name: 'host',
      kernel: '6.18.0',
      cpus: 2,
      cpu: { busy: 100 * seconds, total: 200 * seconds },
      memory: { used: 2 ** 30, limit: 2 ** 32 },
      load: [0.5, 0.4, 0.3],
      tasks: 312,
      pressure: { cpu: 3, memory: 0, io: 0 },
      rights: { ...rights, capabilities: ['SYS_ADMIN'], seccomp: 'disabled' },
    },
    boxes: [
      {
        id: web.id,
        name: 'web',
        image: 'nginx',
        status: 'running',
        note: 'Up 2 minutes',
        usage: { at: seconds * 1000, cpu: seconds * 5e8, memory: 32 << 20, tasks: 3 },
      },
      {
        id: 'b'.repeat(64),
        name: 'db',
        image: 'postgres',
        status: 'exited',
        note: 'Exited (1) 3 minutes ago',
      },
    ],
    wanted: web.id,
    chosen,
  };
}

const ACTIONS: readonly Action[] = [
  { key: 's', word: 'stop', command: ['stop'], shows: 'message', asks: true },
];

const sizes: Size[] = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
];

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
