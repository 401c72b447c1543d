// Runs a command with a host name of its own.   Run: node named.ts NAME COMMAND…
import { CLONE, clone, sethostname } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [name = '', ...command] = process.argv.slice(2);

const pid = clone(CLONE.NEWUTS | CLONE.NEWIPC, [sethostname(name), ...program(command)]);
process.exitCode = await statusOf(pid);
