import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/suite/reporter.ts';

export default defineConfig({
  test: {
    include: ['mini-docker/**/*.test.ts', 'test/**/*.test.ts'],
    // A process for each file: tests enter namespaces, and take them along when they end.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['test/suite/leaks.ts'],
    reporters: ['default', new ClosingLine()],
  },
});
