// Runs a command that never has more than MAX processes.   Run: node limited.ts MAX COMMAND…
import { clone } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { joinGroup, makeGroup, removeGroup } from '../../chapters/07-cgroups/groups.ts';

const [max, ...command] = process.argv.slice(2);

const group = makeGroup(`limited-${process.pid}`, { pids: Number(max) });
const pid = clone(0, [...joinGroup(group), ...program(command)]);
process.exitCode = await statusOf(pid);
removeGroup(group);
