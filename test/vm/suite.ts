// Test files of this repository, run under another kernel and told to Vitest test by test.
import { describe, expect, test } from 'vitest';
import { isFetched, type VmArchitecture } from './image.ts';
import { bundleTests } from './scripts.ts';
import type { TestResult } from './vitest/vitest.ts';
import { runInVm } from './vm.ts';

/**
 * Defines a test for each that ran in the machine, so it runs them first. Where there is no such kernel (a machine that
 * is not Debian, or had no network when it was set up) they are skipped.
 * @param options.timeout milliseconds for all of them together
 */
export async function testInVm(options: {
  title: string;
  architecture: VmArchitecture;
  files: string[];
  skip?: boolean;
  timeout: number;
}): Promise<void> {
  const { title, architecture, files, skip = false, timeout } = options;
  if (skip || !isFetched(architecture)) return test.skip(title);
  using bundle = await bundleTests(files, `${architecture}-${process.pid}`);
  const command = ['node_modules/.bin/node', bundle.script];
  const { code, output } = await runInVm({ architecture, command, timeout });
  const results = [...output.matchAll(/^test: (.*)$/gm)].map(([, json]): TestResult => JSON.parse(json!));
  describe(title, () => {
    for (const { file, name, skipped, error } of results) {
      test.skipIf(skipped)(`${file} > ${name}`, () => {
        expect(error).toBeUndefined();
      });
    }
    test('all tests were come to', () => {
      expect(code, output).toBe(0);
      expect(output).toContain('vm: all tests were run');
    });
  });
}
