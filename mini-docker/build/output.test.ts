import { expect, test } from 'vitest';
import type { BuildMessage } from '../formats/engine-api/build.ts';
import { BuildOutput } from './output.ts';

function outputOf(options: { quiet?: boolean; live?: boolean } = {}) {
  const sent: BuildMessage[] = [];
  const request = {
    quiet: false,
    live: false,
    ...options,
    send: (message: BuildMessage) => void sent.push(message),
  };
  const output = new BuildOutput(request, { stages: [0, 2], total: 4 });
  const text = () => sent.map(each => ('stream' in each ? each.stream : '')).join('');
  return { output, sent, text };
}

test('what a later stage says waits until the earlier one has said everything', async () => {
  const { output, text } = outputOf();
  const [first, second] = [output.stage(0), output.stage(2)];
  await second.step(3, 'FROM b');
  await first.step(1, 'FROM a');
  await second.done('bbb');
  await second.end();
  expect(text()).toBe('Step 1/4 : FROM a\n');
  await first.done('aaa');
  await first.end();
  expect(text()).toBe('Step 1/4 : FROM a\n ---> aaa\nStep 3/4 : FROM b\n ---> bbb\n');
});

test('a failed stage shows its output, whatever stage precedes it', async () => {
  const { output, text } = outputOf();
  const second = output.stage(2);
  await second.step(3, 'RUN false');
  await second.data('why\n', false);
  expect(text()).toBe('');
  await second.failed();
  expect(text()).toBe('Step 3/4 : RUN false\nwhy\n');
});

test('in the live form steps come as they happen, with how long they took', async () => {
  const { output, sent } = outputOf({ live: true });
  const second = output.stage(2);
  await second.step(3, 'RUN x');
  await second.data('out', true);
  await second.done('id');
  const step = { number: 3, total: 4 };
  expect(sent).toEqual([
    { step: { ...step, state: 'started', text: 'RUN x' } },
    { step: { ...step, state: 'output', data: 'out', stderr: true } },
    { step: { ...step, state: 'done', took: expect.any(Number) } },
  ]);
});

test('quietly only the result is said', async () => {
  const { output, text } = outputOf({ quiet: true });
  await output.stage(0).step(1, 'FROM a');
  await output.say({ stream: 'no' });
  await output.result({ stream: 'sha256:1\n' });
  expect(text()).toBe('sha256:1\n');
});
