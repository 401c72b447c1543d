import { expect, test } from 'vitest';
import { isDifference, isTakenFrom } from './readme.ts';
import { commandsOf, difference } from './transcript.ts';

const compare = (shown: string, seen: string): string | undefined =>
  difference(shown.split('\n'), seen.split('\n'), new Map());

test('a transcript is commands, what is typed into them, and what they print', () => {
  const lines = ['$ echo a \\', '  b', 'a b', '$ sh', 'box# echo c', 'c', '/ # exit'];
  expect(commandsOf(lines)).toEqual([
    { text: 'echo a \\\n  b', line: 0, output: ['a b'], inner: [] },
    {
      text: 'sh',
      line: 3,
      output: [],
      inner: [
        { text: 'echo c', output: ['c'] },
        { text: 'exit', output: [] },
      ],
    },
  ]);
});

test('what is not marked must be the same', () => {
  expect(compare('a\nb', 'a\nb')).toBeUndefined();
  expect(compare('a\nb', 'a\nc')).toContain('shown:  b');
  expect(compare('a\nb', 'a')).toBe('missing: b');
  expect(compare('a', 'a\nb')).toBe('not shown: b');
  expect(compare('a.c', 'abc')).toBeDefined();
});

test('blanks may be more or fewer, not none', () => {
  expect(compare('PID  CMD', 'PID     CMD')).toBeUndefined();
  expect(compare('PID  CMD', 'PIDCMD')).toBeDefined();
});

test('the same marked text is the same value', () => {
  expect(compare('‹12›\n‹12›', '7\n7')).toBeUndefined();
  expect(compare('‹12›\n‹12›', '7\n8')).toBeDefined();
  expect(compare('‹12›\n‹13›', '7\n7')).toBeUndefined();
});

test('two namespaces that are shown as two are two', () => {
  expect(compare('uts:[‹4026532300›]\nuts:[‹4026532366›]', 'uts:[1]\nuts:[2]')).toBeUndefined();
  expect(compare('uts:[‹4026532300›]\nuts:[‹4026532366›]', 'uts:[1]\nuts:[1]')).toBeDefined();
});

test('… stands for any text, alone on a line for any lines', () => {
  expect(compare('a…z', 'abcz')).toBeUndefined();
  expect(compare('a\n…\nd', 'a\nb\nc\nd')).toBeUndefined();
  expect(compare('a\n…\nd', 'a\nb')).toBe('missing: d');
  expect(compare('a\n…', 'a\nb')).toBeUndefined();
});

test('code is taken from a file when it stands there, indented as a whole or with gaps', () => {
  const file = 'function f() {\n  one();\n  two();\n  three();\n}\n';
  expect(isTakenFrom(['one();', 'two();'], file)).toBe(true);
  expect(isTakenFrom(['  one();', '  …', '  three();'], file)).toBe(true);
  expect(isTakenFrom(['one();', 'three();'], file)).toBe(false);
  expect(isTakenFrom(['three();', '…', 'one();'], file)).toBe(false);
});

test('a difference is one between two files', () => {
  expect(isDifference(['-old', '+new', ' same'], 'old\nsame\n', 'new\nsame\n')).toBe(true);
  expect(isDifference(['-old', '+new', ' same'], 'new\nsame\n', 'new\nsame\n')).toBe(false);
});
