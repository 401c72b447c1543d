// Under a kernel that has cgroup v2 only: the promises of the cgroup driver, those of both runtimes, limits from the command
// line on, an ordinary user's daemon in a delegated group, and the course's chapters about them.
import { testInVm } from '../vm/suite.ts';

await testInVm({
  title: 'cgroup v2, in a virtual machine',
  architecture: 'x64',
  files: [
    'test/cgroups/cgroups.test.ts',
    'mini-docker/runtime/runtime.test.ts',
    'test/limits.test.ts',
    'test/looks.test.ts',
    'test/cgroups/chapter-7.ts',
    'test/cgroups/chapter-16.ts',
    'test/cgroups/chapter-18.ts',
    'test/cgroups/network.ts',
    'test/cgroups/runtime.ts',
    'test/cgroups/rootless.ts',
  ],
  timeout: 1_200_000,
});
