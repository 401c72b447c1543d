// The arm64 encoder's code, run by a kernel of that architecture: child programs, monitors and whole containers.
// Fetched and run by `npm run test:arm64`; it takes a minute.
import { testInVm } from './vm/suite.ts';

await testInVm({
  title: 'arm64, in a virtual machine',
  architecture: 'arm64',
  files: [
    'mini-docker/linux/child.test.ts',
    'mini-docker/runtime/runtime.test.ts',
    'test/cgroups/cgroups.test.ts',
  ],
  timeout: 400_000,
});
