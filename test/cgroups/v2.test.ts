// The promises of the cgroup driver, kept under a kernel that has cgroup v2 only.
import { beforeAll, describe, expect, test } from 'vitest';
import { isFetched } from '../vm/image.ts';
import { bundleScripts } from '../vm/scripts.ts';
import { runInVm } from '../vm/vm.ts';
import { promises } from './promises.ts';
import type { PromiseResult } from './run-promises.ts';

// A machine that is not Debian, or has no network while the tests are set up, has no second kernel.
describe.skipIf(!isFetched('x64'))('cgroup v2, in a virtual machine', () => {
  const results = new Map<string, PromiseResult>();
  let said = '';

  beforeAll(async () => {
    const [script] = await bundleScripts('test/cgroups/run-promises.ts', 'test/cgroups/nested.ts');
    const command = ['node_modules/.bin/node', script!];
    const { output } = await runInVm({ architecture: 'x64', command, timeout: 180_000 });
    said = output;
    for (const [, json] of output.matchAll(/^promise: (.*)$/gm)) {
      const result: PromiseResult = JSON.parse(json!);
      results.set(result.name, result);
    }
  }, 190_000);

  for (const { name, version = 2 } of promises) {
    if (version !== 2) continue;
    test(name, () => {
      const result = results.get(name);
      expect(result, `it was not come to:\n${said}`).toBeDefined();
      expect(result?.error).toBeUndefined();
    });
  }
});
