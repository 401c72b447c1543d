import { CLONE, clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';

const pid = clone(CLONE.NEWUSER, program(process.argv.slice(2)));
process.exitCode = await statusOf(pid);
