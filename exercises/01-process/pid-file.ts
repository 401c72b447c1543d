// Writes a command's pid into a file before the command begins.   Run: node pid-file.ts FILE COMMAND…
import { writeFileSync, writeSync } from 'node:fs';
import { clone, pipe, read } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

/** What is written into writeEnd can be read from readEnd. A read waits until there is something. */
const go = pipe();

// TODO: the child reads one byte from go.readEnd before it becomes the program;
// the parent writes the file, and then one byte into go.writeEnd.
void [writeFileSync, writeSync, read, go, file];

const pid = clone(0, [...program(command)]);
process.exitCode = await statusOf(pid);
