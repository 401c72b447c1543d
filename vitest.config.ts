import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/suite/order.ts';
import { ClosingLine } from './test/suite/reporter.ts';

export default defineConfig({
  test: {
    include: ['mini-docker/**/*.test.ts', 'test/**/*.test.ts'],
    // A process for each file: tests enter namespaces, and take them along when they end.
    pool: 'forks',
    // They wait for a third of their time, for clocks and for the disk, and often at the same moment.
    maxWorkers: 2 * availableParallelism(),
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that needs its second attempt is named at the end of the run: it is unsteady, and is to be mended.
    retry: 1,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/suite/bundle.ts', 'test/suite/leaks.ts'],
    reporters: ['default', new ClosingLine()],
  },
});
