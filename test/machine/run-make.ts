// node test/machine/run-make.ts x64|arm64: makes the image that `npm run test:machine` starts from.
import type { VmArchitecture } from '../vm/image.ts';
import { runsArm64, withArm64 } from './foreign.ts';
import { imageOf, isMade, makeImage } from './image.ts';

const architecture = process.argv[2] as VmArchitecture;
if (isMade(architecture)) process.exit();
if (architecture === 'arm64' && !runsArm64()) {
  process.exitCode = await withArm64(imageOf(architecture).directory, process.argv);
} else {
  console.error('mini-docker: making a Debian 12 for the tests of a whole machine, which takes some minutes');
  makeImage(architecture);
}
