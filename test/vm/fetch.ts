// node test/vm/fetch.ts x64|arm64: brings the kernel for the tests in virtual machines into .cache/vm.
import { spawnSync } from 'node:child_process';
import { fetchImage, isFetched, parserDirectory, type VmArchitecture } from './image.ts';
import { hardware } from './vm.ts';

const architecture = process.argv[2] as VmArchitecture;
if (!isFetched(architecture) || (architecture === 'x64' && parserDirectory() === undefined)) {
  try {
    for (const program of [hardware[architecture].emulator, 'mkfs.ext4', 'setpriv']) {
      const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
      if (error) throw new Error(`${program} is not installed`);
    }
    console.error(`mini-docker: fetching an ${architecture} kernel for the tests in a virtual machine`);
    fetchImage(architecture);
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    console.error(`mini-docker: no ${architecture} kernel, and the tests that need it are skipped: ${line}`);
  }
}
