// Runs a command with its output in a file.   Run: node redirect.ts FILE COMMAND…
import { AT, clone, dup3, O, openat, resultOf } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

const output = openat(AT.FDCWD, file, O.WRONLY | O.CREAT | O.TRUNC | O.CLOEXEC, 0o666);
const stdout = dup3(resultOf(output), 1, 0);

const pid = clone(0, [output, stdout, ...program(command)]);
process.exitCode = await statusOf(pid);
