// Runs a command in another process's namespaces and control group.   Run: node enter.ts PID COMMAND…
import { CLONE, call, clone, cloneCall, type Item, pidfdOpen, resultOf, SIG, setns, wait4 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { exitAs } from '../../chapters/06-pid-1/init.ts';
import { groupOf, joinGroup } from '../../chapters/07-cgroups/groups.ts';

const [number, ...command] = process.argv.slice(2);
const target = Number(number);

const pidfd = call(pidfdOpen(target, 0));
const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
/** The command's wait status, written by wait4(). */
const status = Buffer.alloc(16);

const steps: Item[] = [
  // TODO: join the group and the namespaces, and fork a child that is born in there. The parent outside waits for it.
  ...program(command),
  ...exitAs(status),
];
void [CLONE, child, groupOf, joinGroup, pidfd, resultOf, setns, wait4];

const pid = clone(0, steps);
process.exitCode = await statusOf(pid);
