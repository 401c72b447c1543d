import { expect, test } from 'vitest';
import { signalNumber } from './signals.ts';

test('signals are read as users write them', () => {
  const written: [string, number][] = [
    ['SIGTERM', 15],
    ['term', 15],
    ['15', 15],
    ['SIGKILL', 9],
    ['SIGWINCH', 28],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
  ];
  for (const [text, number] of written) expect(signalNumber(text)).toBe(number);
});

test('what is no signal is refused', () => {
  for (const text of ['', '0', '65', '-1', 'SIGNOPE', '1x', 'RTMIN+31', 'constructor', 'SIG']) {
    expect(() => signalNumber(text), text).toThrow('invalid signal');
  }
});
