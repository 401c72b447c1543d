import { CLONE, clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';

const pid = clone(CLONE.NEWPID, program(process.argv.slice(2)));
process.exitCode = await statusOf(pid);
console.error(`outside, it was process ${pid}`);
