// Runs a command that never has more than MAX processes.   Run: node limited.ts MAX COMMAND…
import { clone } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { joinGroup, makeGroup, removeGroup } from '../../chapters/07-cgroups/groups.ts';

const [max, ...command] = process.argv.slice(2);

// TODO: create a group with a limit; the command joins it before it begins; remove it at the end.
void [max, joinGroup, makeGroup, removeGroup];
const pid = clone(0, program(command));
process.exitCode = await statusOf(pid);
