import { expect, test } from 'vitest';
import type { BoxView, View } from '../../formats/view.ts';
import { remember } from '../view/history.ts';
import { viewAt, web } from '../view/testing/example.ts';
import { drawPicture } from './picture.ts';

/** The hint for a machine without containers. */
const empty = 'Start one';

function draw(
  view: View,
  { columns = 100, before = view }: { columns?: number; before?: View } = {},
): string {
  const common = { columns, noun: 'container', empty };
  const history = remember(new Map(), before);
  const { seen } = drawPicture({ view: before, history, seen: new Map(), ...common });
  return drawPicture({ view, history: remember(history, view), seen, ...common }).picture.html;
}

/** The texts of a picture, one a line. */
const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text]) => text!.trim());

/** What is marked as changed. */
const litIn = (svg: string): string[] =>
  [...svg.matchAll(/data-key="([^"]*)" class="lit"/g)].map(([, key]) => key!);

test('a picture names both pids, inodes, layers, limits, the cable, the bridge and the ports', () => {
  const svg = draw(viewAt(1), { before: viewAt(0) });
  const texts = textsOf(svg);
  for (const text of [
    '4712',
    'nginx: worker (user 101)',
    '4026532105',
    'writes go to /l/top',
    'layer 1      /l/1',
    '32MiB of 64MiB',
    'eth0 (veth, up)  172.17.0.2/16',
    'veth-1, the cable&#39;s other end',
    'bridge mini-0',
    'bridge mini-0  172.17.0.1/16',
    'web eth0',
    'tap9',
    'nginx  :8080 -&gt; 80/tcp',
    'listens  tcp 0.0.0.0:80',
    'published  0.0.0.0:8080 -&gt; 80/tcp',
    'CHOWN KILL',
    'last line',
  ])
    expect(texts).toContain(text);
  expect(svg).toContain('aria-label="memory: 32MiB of 64MiB"');
  expect(svg).toMatch(/<a href="#a{64}" data-key="choose a{64}" aria-current="true"/);
  expect(litIn(svg)).toEqual([]);
});

test('what is new or different is marked, and nothing else', () => {
  const [first, ...others] = web.processes;
  const changed: BoxView = {
    ...web,
    processes: [{ ...first!, command: 'nginx: reloaded' }, ...others, { ...first!, pid: 4800, inside: 9 }],
  };
  expect(litIn(draw(viewAt(1, changed), { before: viewAt(0) })).sort()).toEqual([
    'process 4711',
    'process 4800',
  ]);
});

test('names, commands and logs of a container cannot become markup, or orders to the reader', () => {
  const hostile = '<script>alert(1)</script>"\'&\u202e\x1b[2J';
  const box: BoxView = {
    ...web,
    processes: [{ ...web.processes[0]!, command: hostile }],
    log: [hostile],
    published: [hostile],
  };
  const view = viewAt(0, box);
  const named = { ...view, boxes: view.boxes.map(each => ({ ...each, name: hostile, image: hostile })) };
  const svg = draw(named, { columns: 300 });
  expect(svg).not.toMatch(/<script|\u202e|\x1b/);
  expect(textsOf(svg)).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u202e\\x1b[2J');
});

test('a container with 10,000 processes, mounts and log lines, among 1,000, stays a picture of 300 KB', () => {
  const many = <T>(one: T, change: (one: T, index: number) => T): T[] =>
    Array.from({ length: 10_000 }, (_, index) => change(one, index));
  const mount = web.mounts[0]!.mounts[0]!;
  const box: BoxView = {
    ...web,
    processes: many(web.processes[0]!, (each, index) => ({
      ...each,
      pid: index + 2,
      parent: index % 500 ? index + 1 : 1,
    })),
    mounts: [
      {
        ...web.mounts[0]!,
        mounts: many(mount, (each, id) => ({ ...each, id, parent: id % 500 ? id - 1 : 0 })),
      },
    ],
    log: many('line', text => text),
  };
  const view = viewAt(0, box);
  const boxes = Array.from({ length: 1000 }, (_, index) => ({ ...view.boxes[0]!, id: `${index}` }));
  const svg = draw({ ...view, boxes: [...boxes, ...view.boxes] });
  expect(svg.length).toBeLessThan(300_000);
  expect(textsOf(svg)).toContain('and 9940 more');
  // The chosen one has its card, however many come before it.
  expect(svg).toContain('aria-current="true"');
});

test('on a phone nothing is wider than the page', () => {
  const columns = 40;
  const svg = draw(viewAt(0), { columns });
  const [, width] = /viewBox="0 0 ([\d.]+)/.exec(svg)!;
  for (const [, x, text] of svg.matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)/g))
    expect(Number(x) + text!.replace(/&[^;]+;/g, '.').length * 8.43, text).toBeLessThan(Number(width));
  for (const [, x, wide] of svg.matchAll(/<rect class="[^"]*" x="([-\d.]+)" y="[-\d.]+" width="([\d.]+)"/g))
    expect(Number(x) + Number(wide)).toBeLessThanOrEqual(Number(width));
});

test('without a container it says how to start one; a container that does not run has an empty picture', () => {
  const { chosen: _, wanted: __, ...view } = viewAt(0);
  expect(textsOf(draw({ ...view, boxes: [] }))).toContain(empty);
  expect(textsOf(draw({ ...view, wanted: web.id }))).toContain(
    'It is not running: the kernel has nothing of it.',
  );
});
