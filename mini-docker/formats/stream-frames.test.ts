import { expect, test } from 'vitest';
import { FormatError } from './errors.ts';
import { encodeFrame, frameDecoder } from './stream-frames.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

test('a frame is stream, three zeros, length in network order, data', () => {
  expect([...encodeFrame('stderr', bytes('hi'))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 104, 105]);
  expect([...encodeFrame('stdout', new Uint8Array(300)).subarray(0, 8)]).toEqual([1, 0, 0, 0, 0, 0, 1, 44]);
});

test('what was encoded comes back however the bytes are cut', () => {
  const sent = [...encodeFrame('stdout', bytes('one\n')), ...encodeFrame('stderr', bytes('two\n'))];
  sent.push(...encodeFrame('stdout', bytes('')), ...encodeFrame('stdout', bytes('three')));
  for (let size = 1; size <= sent.length; size++) {
    const decoder = frameDecoder();
    const got = { stdout: '', stderr: '', stdin: '', systemerr: '' };
    for (let at = 0; at < sent.length; at += size) {
      for (const { stream, data } of decoder.push(Uint8Array.from(sent.slice(at, at + size)))) {
        got[stream] += text(data);
      }
    }
    expect(got).toEqual({ stdin: '', stdout: 'one\nthree', stderr: 'two\n', systemerr: '' });
    expect(decoder.complete).toBe(true);
  }
});

test('a long frame is not held back until it is whole', () => {
  const decoder = frameDecoder();
  const frame = encodeFrame('stdout', bytes('0123456789'));
  expect(decoder.push(frame.subarray(0, 12)).map(each => text(each.data))).toEqual(['0123']);
  expect(decoder.complete).toBe(false);
});

test('a stream that is not framed is refused', () => {
  expect(() => frameDecoder().push(bytes('not a frame'))).toThrow(FormatError);
});
