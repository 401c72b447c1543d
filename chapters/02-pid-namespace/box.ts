// Chapter 2. A process that is number 1.   Run: node chapters/02-pid-namespace/box.ts COMMAND…
import { CLONE, clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { ownProc, privateMounts } from './own-proc.ts';

const command = process.argv.slice(2);
if (command.length === 0) command.push('sh');

const pid = clone(CLONE.NEWPID | CLONE.NEWNS, [privateMounts(), ownProc(), ...program(command)]);
process.exitCode = await statusOf(pid);
