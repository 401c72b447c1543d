// Chapter 1. A process is a list of system calls.   Run: node chapters/01-process/box.ts COMMAND…
import { clone } from '#linux';
import { program, statusOf } from './program.ts';

const command = process.argv.slice(2);
if (command.length === 0) command.push('sh');

const pid = clone(0, program(command));
process.exitCode = await statusOf(pid);
