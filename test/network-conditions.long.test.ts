// Delay, loss and reordering, by the module netem of Debian's kernel, in a virtual machine: 30 s.
import { testInVm } from './vm/suite.ts';

await testInVm({
  title: 'netem, in a virtual machine',
  architecture: 'x64',
  files: ['mini-docker/network/conditions.test.ts'],
  timeout: 900_000,
});
