import { expect, test } from 'vitest';
import { LiveProgress } from './build-progress.ts';

function live() {
  let text = '';
  let now = 0;
  const progress = new LiveProgress({
    write: more => {
      text += more;
    },
    columns: () => 42,
    now: () => now,
  });
  const take = (
    number: number,
    state: 'started' | 'output' | 'cached' | 'done' | 'failed',
    more: object = {},
  ) => progress.take({ number, total: 12, state, ...more });
  return { progress, take, later: (milliseconds: number) => (now += milliseconds), text: () => text };
}

test('a step is one line with its time, rewritten until it is done', () => {
  const { progress, take, later, text } = live();
  take(2, 'started', { text: 'RUN make' });
  later(1500);
  take(2, 'done', { took: 1500 });
  progress.end();
  expect(text()).toBe(`⠋  2/12 RUN make                    0.0s
\x1b[1A\r\x1b[J✓  2/12 RUN make                    1.5s
`);
});

test('steps that run side by side are shown together, and long ones cut', () => {
  const { progress, take, text } = live();
  take(2, 'started', { text: 'RUN a-command-that-is-longer-than-the-line' });
  take(7, 'started', { text: 'COPY . /' });
  progress.end();
  const lines = text().split('\n');
  expect(lines.at(-3)).toBe('\x1b[1A\r\x1b[J⠋  2/12 RUN a-command-that-is-long… 0.0s');
  expect(lines.at(-2)).toBe('⠋  7/12 COPY . /                    0.0s');
});

test('a failed step shows all that its command wrote, without what would spoil the terminal', () => {
  const { progress, take, text } = live();
  take(3, 'started', { text: 'RUN x' });
  take(3, 'output', { data: '\x1b[2Jone\r\ntwo\x07\n' });
  take(3, 'failed', { took: 10 });
  progress.end();
  expect(text()).toContain('✗  3/12 RUN x                       0.0s\n    one\n    two\n');
});
