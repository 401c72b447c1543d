// Ends the output with how many tests passed and failed, which passed only at the second attempt, and which were
// skipped and why. In CI a skip that expected-skips.ts does not name fails the run, so that no test goes unused.
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { expectedSkips } from './expected-skips.ts';

const FURTHER = 'further';

export class ClosingLine implements Reporter {
  #counts = { passed: 0, failed: 0, skipped: 0 };
  /** Whether the run selects tests by name, and so skips all others. */
  #selective = false;
  /** `npm test` runs the tests without the tag, `npm run test:further` those that have it. */
  #isAsked = (_: TestCase): boolean => true;

  onInit(vitest: Vitest): void {
    this.#selective = vitest.config.testNamePattern !== undefined;
    const filter = vitest.config.tagsFilter ?? [];
    if (filter.length > 0)
      this.#isAsked = ({ options }) =>
        filter.includes(options.tags?.includes(FURTHER) ? FURTHER : `!${FURTHER}`);
    // Runs after the leak check, which follows the last report.
    process.once('exit', code => {
      const { passed, failed, skipped } = this.#counts;
      const failures = failed === 0 && code !== 0 ? 'the run itself' : failed;
      console.log(`\n${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap(module => [...module.children.allTests()]).filter(this.#isAsked);
    const skipped = tests.filter(each => each.result().state === 'skipped');
    this.#counts = {
      passed: tests.filter(each => each.result().state === 'passed').length,
      failed:
        tests.filter(each => each.result().state === 'failed').length +
        brokenSuites(modules) +
        unhandled.length,
      skipped: skipped.length,
    };
    reportUnsteady(tests);
    if (!this.#selective) this.#reportSkips(skipped);
  }

  #reportSkips(skipped: readonly TestCase[]): void {
    const unexpected: string[] = [];
    for (const each of skipped) {
      const why = reasonOf(each);
      const title = `${each.module.relativeModuleId} > ${each.fullName}`;
      if (why === undefined) unexpected.push(title);
      else console.log(`skipped: ${title}\n         ${why}`);
    }
    if (unexpected.length === 0) return;
    console.log('\nSkipped without being expected (test/suite/expected-skips.ts):');
    for (const title of unexpected) console.log(`  ${title}`);
    if (process.env.CI) process.exitCode = 1;
  }
}

function reportUnsteady(tests: readonly TestCase[]): void {
  for (const each of tests.filter(test => test.diagnostic()?.flaky)) {
    console.log(`passed only at the second attempt: ${each.module.relativeModuleId} > ${each.fullName}`);
    for (const { message, diff = '' } of each.result().errors ?? [])
      console.log(`${message}\n${diff}`.trimEnd().replaceAll(/^/gm, '         '));
  }
}

function reasonOf(skipped: TestCase): string | undefined {
  const expected = expectedSkips.find(
    ({ file, name = '', where }) =>
      where && skipped.module.relativeModuleId === file && skipped.fullName.includes(name),
  );
  return expected?.why;
}

/** Files that could not be loaded, and hooks that failed. */
function brokenSuites(modules: readonly TestModule[]): number {
  return modules.reduce((sum, module) => {
    const suites = [module, ...module.children.allSuites()];
    return sum + suites.filter(suite => suite.errors().length > 0).length;
  }, 0);
}
