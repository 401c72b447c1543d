// Under a kernel that has cgroup v2 only: the exercises of the later chapters, which take nine minutes there.
import { testInVm } from '../vm/suite.ts';

await testInVm({
  title: 'the later chapters on cgroup v2, in a virtual machine',
  architecture: 'x64',
  files: ['test/cgroups/later-chapters.ts'],
  timeout: 2_400_000,
});
