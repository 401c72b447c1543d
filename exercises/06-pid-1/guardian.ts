// Runs a command, and ends when nothing is left of it.   Run: node guardian.ts COMMAND…
import { clone, cloneCall, type Item, mayFail, PR, prctl, resultOf, SIG, wait4 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { exitAs } from '../../chapters/06-pid-1/init.ts';

const command = process.argv.slice(2);

const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
/** Where wait4() leaves how the command ended. */
const status = Buffer.alloc(16);
// TODO: two different waits. The second one fails with ECHILD (-10) when there is nobody left.
void [mayFail, resultOf, wait4];

const guardian: Item[] = [
  // TODO: orphans are to be given to me
  { control: 'fork', step: child, parent: 'guard' },
  ...program(command),
  { control: 'label', name: 'guard' },
  // TODO: wait, for anybody, until it was the command that ended; then go on waiting until nobody is left.
  ...exitAs(status),
];
void [PR, prctl];

const pid = clone(0, guardian);
process.exitCode = await statusOf(pid);
