// Writes a command's pid into a file before the command begins.   Run: node pid-file.ts FILE COMMAND…
import { writeFileSync, writeSync } from 'node:fs';
import { clone, pipe, read } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [file = '', ...command] = process.argv.slice(2);

/** What is written into writeEnd can be read from readEnd. A read waits until there is something. */
const go = pipe();

const pid = clone(0, [read(go.readEnd, Buffer.alloc(1)), ...program(command)]);
writeFileSync(file, `${pid}\n`);
writeSync(go.writeEnd, '!');
process.exitCode = await statusOf(pid);
