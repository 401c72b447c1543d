// Under a kernel with AppArmor, which this machine's may lack.
import { parserDirectory } from './vm/image.ts';
import { testInVm } from './vm/suite.ts';

await testInVm({
  title: 'AppArmor, in a virtual machine',
  architecture: 'x64',
  files: ['test/attacks/apparmor-scenes.ts'],
  skip: parserDirectory() === undefined,
  timeout: 500_000,
});
