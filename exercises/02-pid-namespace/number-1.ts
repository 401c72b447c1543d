// Runs a command as number 1 of a pid namespace.   Run: node number-1.ts COMMAND…
import { CLONE, clone } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const command = process.argv.slice(2);

// TODO: the flag that makes the new process number 1, and the command's exit code as ours.
void CLONE;
const pid = clone(0, program(command));
await statusOf(pid);
