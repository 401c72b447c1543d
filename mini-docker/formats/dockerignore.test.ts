import { expect, test } from 'vitest';
import { decodeDockerignore } from './dockerignore.ts';

const list = decodeDockerignore(`# comment
node_modules
*.log
!important.log
**/*.tmp
/build
docs/**
!docs/README.md
`);

test.each([
  ['node_modules', true],
  ['node_modules/a/b.js', true],
  ['src/node_modules', false],
  ['x.log', true],
  ['important.log', false],
  ['a/x.log', false],
  ['a/b/x.tmp', true],
  ['build', true],
  ['docs/a/b', true],
  ['docs/README.md', false],
  ['# comment', false],
  ['src/main.ts', false],
])('%s is ignored: %s', (path, ignored) => {
  expect(list.ignores(path)).toBe(ignored);
});

test('lines with ! are told of', () => {
  expect(list.hasExceptions).toBe(true);
  expect(decodeDockerignore('a\n').hasExceptions).toBe(false);
});
