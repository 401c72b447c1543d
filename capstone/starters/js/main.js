// My Docker. Stage 1: runs a command and passes its exit code on. Node has no system calls for containers:
// `unshare`, `mount` and `ip` from util-linux and iproute2 make them for you, or a library such as koffi.
import { spawnSync } from 'node:child_process';

const [verb, ...words] = process.argv.slice(2);
if (verb !== 'run') {
  console.error(`my-docker: there is no command ${verb}`);
  process.exit(125);
}
// Not used yet: the options before the image, and the image.
const [, program, ...args] = words;
const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
if (error !== undefined) console.error(`my-docker: ${error.message}`);
process.exitCode = error === undefined ? status : 127;
