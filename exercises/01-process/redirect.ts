// Runs a command with its output in a file.   Run: node redirect.ts FILE COMMAND…
import { AT, clone, dup3, O, openat, resultOf } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

// TODO: two steps before the program: open the file, and make it descriptor 1.
// resultOf(step) is the number that an earlier step will have returned, when the child runs.
void [AT, dup3, O, openat, resultOf, file];

const pid = clone(0, [...program(command)]);
process.exitCode = await statusOf(pid);
