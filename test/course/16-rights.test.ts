import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { syscallNumbers } from '../../mini-docker/runtime/seccomp/syscall-numbers.ts';
import { testChapter } from './chapter.ts';

await testChapter('16-rights');

// A table that is wrong for the other architecture is seen by no test on this one.
test.each([
  ['chapters/16-rights/filter.ts', /\['(\w+)', (\d+), (\d+)/g, 30],
  ['chapters/16-rights/filter.ts', /(clone3?): (\d+)(?=.*arm64: \{.*\b\1: (\d+))/g, 2],
  ['exercises/16-rights/refuse.ts', /(\w+): \{ x64: (\d+), arm64: (\d+) \}/g, 6],
])('%s has the numbers of both architectures', (file, pattern, count) => {
  const found = [...readFileSync(join(repository, file), 'utf8').matchAll(pattern)];
  expect(found.length).toBe(count);
  for (const [, name, x64, arm64] of found) {
    expect(syscallNumbers('x64').get(name!), name).toBe(Number(x64));
    expect(syscallNumbers('arm64').get(name!), name).toBe(Number(arm64));
  }
});
