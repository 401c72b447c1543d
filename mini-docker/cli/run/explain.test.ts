import { expect, test } from 'vitest';
import type { ExplainedStep } from '../../formats/explanation.ts';
import { describeSteps } from './explain.ts';

const steps: ExplainedStep[] = [
  {
    group: 'namespaces',
    call: 'clone(CLONE_NEWPID|CLONE_NEWNS)',
    reason: 'it sees only itself',
    by: 'engine',
    result: 42,
    microseconds: 310,
  },
  {
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
         # it sees only itself (by the engine)

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
