import { expect, test } from 'vitest';
import { decodeLogLine, encodeLogLine, PIECE_LIMIT, splitOutput } from './json-file-log.ts';

const lines = (text: string, ended = false) => {
  const { pieces, rest } = splitOutput(Buffer.from(text), ended);
  return { pieces: pieces.map(piece => Buffer.from(piece).toString()), rest: Buffer.from(rest).toString() };
};

test('a line comes back as it was written', () => {
  const line = {
    stream: 'stderr' as const,
    time: 1_767_323_045_000_000_001n,
    data: Buffer.from('a "b" \u0000 é\n'),
  };
  const text = encodeLogLine(line);
  expect(text.endsWith('}\n')).toBe(true);
  expect(text.trimEnd()).not.toContain('\n');
  expect(decodeLogLine(text)).toEqual(line);
});

test("a line that docker's own driver wrote is read", () => {
  const text = '{"log":"\\u003chi\\u003e\\n","stream":"stdout","time":"2024-05-01T10:00:00.5Z"}';
  const line = decodeLogLine(text)!;
  expect(Buffer.from(line.data).toString()).toBe('<hi>\n');
  expect(line.time).toBe(1_714_557_600_500_000_000n);
});

test('a torn line is not taken for one', () => {
  const text = encodeLogLine({ stream: 'stdout', time: 1n, data: Buffer.from('hello\n') });
  for (let length = 0; length < text.length - 2; length++)
    expect(decodeLogLine(text.slice(0, length))).toBeUndefined();
  expect(decodeLogLine('null')).toBeUndefined();
  expect(decodeLogLine('{"log":1,"stream":"stdout","time":"2024-05-01T10:00:00.5Z"}')).toBeUndefined();
});

test('output is cut at newlines, and the beginning of a line waits for its end', () => {
  expect(lines('a\nb\n\nc')).toEqual({ pieces: ['a\n', 'b\n', '\n'], rest: 'c' });
  expect(lines('a\nb\n\nc', true)).toEqual({ pieces: ['a\n', 'b\n', '\n', 'c'], rest: '' });
  expect(lines('')).toEqual({ pieces: [], rest: '' });
});

test('a long line becomes pieces of 16 KiB without a newline, and the last one with it', () => {
  const text = `${'x'.repeat(2 * PIECE_LIMIT + 5)}\nnext`;
  const { pieces, rest } = lines(text);
  expect(pieces.map(piece => piece.length)).toEqual([PIECE_LIMIT, PIECE_LIMIT, 6]);
  expect(pieces.join('') + rest).toBe(text);
});

test('a full piece does not wait for more', () => {
  expect(lines('x'.repeat(PIECE_LIMIT)).pieces).toHaveLength(1);
  expect(lines('x'.repeat(PIECE_LIMIT - 1)).pieces).toHaveLength(0);
});

test('no character is cut in two', () => {
  for (const offset of [0, 1, 2, 3]) {
    const text = `${'x'.repeat(offset)}${'😀'.repeat(PIECE_LIMIT)}\n`;
    expect(lines(text).pieces.join('')).toBe(text);
    expect(lines(text).pieces.join('')).not.toContain('\ufffd');
  }
});

test('bytes that are not UTF-8 still become pieces of at most 16 KiB', () => {
  const { pieces } = splitOutput(Buffer.alloc(PIECE_LIMIT * 3, 0x80), true);
  expect(Math.max(...pieces.map(piece => piece.length))).toBeLessThanOrEqual(PIECE_LIMIT);
  expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(PIECE_LIMIT * 3);
});
