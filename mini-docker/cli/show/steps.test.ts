import { expect, test } from 'vitest';
import type { ExplainedStep } from '../../formats/explanation.ts';
import { describeSteps, summarizeSteps } from './steps.ts';

const steps: ExplainedStep[] = [
  {
    number: 1,
    group: 'namespaces',
    call: 'clone(CLONE_NEWPID|CLONE_NEWNS)',
    reason: 'it sees only itself',
    by: 'monitor',
    result: 42,
    microseconds: 310,
  },
  {
    number: 2,
    group: 'root file system',
    call: 'mount("overlay", "/", "overlay", MS_NOSUID|MS_NODEV, "lowerdir=/var/lib/mini-docker/layers/one:/var/lib/mini-docker/layers/two")',
    reason:
      'the layers of the image lie over each other, and what the container writes lies on top of them all',
    by: 'container',
    error: 'EINVAL',
    microseconds: 12,
  },
];

test('steps are grouped, numbered, with results and reasons, within the width', async () => {
  const text = await describeSteps(steps, { width: 60, colour: false });
  expect(text).toMatchInlineSnapshot(`
    "namespaces
      1  clone(CLONE_NEWPID|CLONE_NEWNS) = 42 <310 µs>
         # it sees only itself (by the monitor)

    root file system
      2  mount("overlay", "/", "overlay", MS_NOSUID|MS_NODEV,
           "lowerdir=/var/lib/mini-docker/layers/one:
           /var/lib/mini-docker/layers/two") = -1 EINVAL <12 µs>
         # the layers of the image lie over each other, and what
         # the container writes lies on top of them all
    "
  `);
});

test('without results there are none', async () => {
  const plain = steps.map(({ group, call, reason, by }) => ({ group, call, reason, by }));
  const text = await describeSteps(plain, { width: 80, colour: false });
  expect(text).not.toMatch(/ = /);
});

test('the summary has a line for each part: how many steps, whose, and why', async () => {
  const [first, second] = steps;
  const parts = [
    { ...first!, group: 'limits', by: 'daemon' as const, purpose: 'what the container may use' },
    { ...first!, group: 'limits', by: 'daemon' as const, purpose: 'what the container may use' },
    {
      ...second!,
      purpose: 'the layers become one tree, which becomes /; the host is out of reach from here on',
    },
  ];
  expect(await summarizeSteps(parts, { width: 80, colour: false })).toMatchInlineSnapshot(`
    "3 steps in 2 parts:

        2  limits            daemon     what the container may use
        1  root file system  container  the layers become one tree, which becomes /;
                                        the host is out of reach from here on
    "
  `);
  const narrow = await summarizeSteps(parts, { width: 40, colour: false });
  expect(narrow.split('\n').filter(line => line.length > 40)).toEqual([]);
});
