import { expect, test } from 'vitest';
import type { ProgressMessage } from '../../formats/engine-api/images.ts';
import { followProgress, progressLines } from './progress-lines.ts';

function shown(messages: ProgressMessage[], options: { terminal: boolean; columns?: number }): string {
  let text = '';
  const line = progressLines({ show: more => (text += more), ...options });
  for (const message of messages) line(message);
  return text;
}

const PULL: ProgressMessage[] = [
  { status: 'Pulling from library/x', id: 'latest' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'aaa' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'bbb' },
  { status: 'Downloading', progressDetail: { current: 1, total: 2 }, progress: '[=>] 1B/2B', id: 'aaa' },
  { status: 'Pull complete', progressDetail: {}, id: 'bbb' },
  { status: 'Digest: sha256:0' },
];

test('without a terminal each step is one line, and how far it has got is none', () => {
  expect(shown(PULL, { terminal: false })).toBe(
    [
      'latest: Pulling from library/x',
      'aaa: Pulling fs layer',
      'bbb: Pulling fs layer',
      'bbb: Pull complete',
      'Digest: sha256:0',
      '',
    ].join('\n'),
  );
});

test('on a terminal every layer keeps its line', () => {
  const text = shown(PULL, { terminal: true, columns: 80 });
  expect(text).toContain('\x1b[2A\x1b[2K\raaa: Downloading       1B/2B\x1b[2B\r');
  expect(text).toContain('\x1b[1A\x1b[2K\rbbb: Pull complete\x1b[1B\r');
});

test('no line of a layer is wider than the terminal', () => {
  const long = 'x'.repeat(200);
  for (const line of shown([{ id: 'a', status: long, progressDetail: {} }], {
    terminal: true,
    columns: 40,
  }).split('\n')) {
    expect(line.length).toBeLessThan(40);
  }
});

test('an error in the stream ends it', async () => {
  async function* messages(): AsyncGenerator<ProgressMessage> {
    yield { status: 'a' };
    yield { error: 'short', errorDetail: { message: 'why' } };
  }
  await expect(followProgress(messages(), () => {})).rejects.toThrow('why');
});
