import { expect, test } from 'vitest';
import { decodeDetachKeys, detachScanner } from './detach-keys.ts';
import { FormatError } from './errors.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('names of keys become the bytes a terminal sends', () => {
  expect([...decodeDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
  expect([...decodeDetachKeys('a,ctrl-@,ctrl-[,ctrl-_')]).toEqual([97, 0, 27, 31]);
});

test.each(['', 'ctrl-', 'ctrl-1', 'ab', 'a,,b', 'ctrl-p ctrl-q'])('%j is refused', text => {
  expect(() => decodeDetachKeys(text)).toThrow(FormatError);
});

test('the sequence detaches, even if it comes in two reads', () => {
  const scanner = detachScanner(decodeDetachKeys('ctrl-p,ctrl-q'));
  expect(scanner.push(bytes('ls\n\x10'))).toEqual({ pass: bytes('ls\n'), detached: false });
  expect(scanner.push(bytes('\x11more'))).toEqual({ pass: bytes(''), detached: true });
});

test('keys that only begin the sequence reach the program', () => {
  const scanner = detachScanner(decodeDetachKeys('ctrl-p,ctrl-q'));
  expect(scanner.push(bytes('\x10x\x10'))).toEqual({ pass: bytes('\x10x'), detached: false });
  expect(scanner.push(bytes('\x10\x11'))).toEqual({ pass: bytes('\x10'), detached: true });
});
