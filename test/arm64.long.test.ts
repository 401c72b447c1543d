// The arm64 encoder's code, run by a kernel of that architecture: child programs, monitors, whole containers, and the
// exercises of the later chapters. Fetched and run by `npm run test:arm64`; it takes some twenty minutes.
import { testInVm } from './vm/suite.ts';

await testInVm({
  title: 'arm64, in a virtual machine',
  architecture: 'arm64',
  skip: process.env.MINI_DOCKER_TEST_ARM64 === undefined,
  files: [
    'mini-docker/linux/child.test.ts',
    'mini-docker/runtime/runtime.test.ts',
    'test/cgroups/cgroups.test.ts',
    'test/limits.test.ts',
    'test/cgroups/later-chapters.ts',
  ],
  timeout: 3_600_000,
});
