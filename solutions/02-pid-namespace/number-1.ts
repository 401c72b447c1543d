// Runs a command as number 1 of a pid namespace.   Run: node number-1.ts COMMAND…
import { CLONE, clone } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const command = process.argv.slice(2);

const pid = clone(CLONE.NEWPID, program(command));
process.exitCode = await statusOf(pid);
