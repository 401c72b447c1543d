// The promises of the cgroup driver, kept on this machine with the cgroups that it has.
import { describe, test } from 'vitest';
import { version } from './inside.ts';
import { promises } from './promises.ts';

describe(`cgroup v${version}`, () => {
  for (const { name, version: only = version, keep } of promises) {
    if (only === version) test(name, keep);
  }
});
