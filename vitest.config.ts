import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/suite/order.ts';
import { ClosingLine } from './test/suite/reporter.ts';

/** Tests that compute, and leave their process as it was. */
const pure = ['api', 'build', 'cli', 'daemon', 'engine', 'formats', 'web'].map(
  layer => `mini-docker/${layer}/**/*.test.ts`,
);
const long = 'test/**/*.long.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['mini-docker/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...pure, long],
        },
      },
      { extends: true, test: { name: 'long', include: [long] } },
      // These share a few processes, which saves the start of a hundred.
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
    ],
    // A process for each file: tests enter namespaces, and take them along when they end.
    pool: 'forks',
    // They wait for a third of their time, for clocks and for the disk, and often at the same moment.
    maxWorkers: 2 * availableParallelism(),
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that needs its second attempt is named at the end of the run: it is unsteady, and is to be mended.
    retry: 1,
    tags: [
      {
        name: 'further',
        description:
          'a further proof of what npm test proves in short: run by npm run test:further, and in CI',
      },
    ],
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/suite/bundle.ts', 'test/suite/leaks.ts'],
    reporters: ['default', new ClosingLine()],
  },
});
