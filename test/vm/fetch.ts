// node test/vm/fetch.ts x64|arm64: brings the kernel for the tests in virtual machines into .cache/vm.
import { fetchImage, isFetched, type VmArchitecture } from './image.ts';

const architecture = process.argv[2] as VmArchitecture;
if (!isFetched(architecture)) {
  console.error(`mini-docker: fetching an ${architecture} kernel for the tests in a virtual machine`);
  try {
    fetchImage(architecture);
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    console.error(`mini-docker: no kernel for a virtual machine, and the tests in it are skipped: ${line}`);
  }
}
