// node test/machine/run-make.ts: makes the image that `npm run test:machine` starts from.
import { isMade, makeImage } from './image.ts';

if (!isMade()) {
  console.error('mini-docker: making a Debian 12 for the tests of a whole machine, which takes some minutes');
  makeImage();
}
