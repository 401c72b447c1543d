// Runs a command, and ends when no process of it is left.   Run: node guardian.ts COMMAND…
import { clone, cloneCall, type Item, mayFail, PR, prctl, resultOf, SIG, wait4 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { exitAs } from '../../chapters/06-pid-1/init.ts';

const command = process.argv.slice(2);

const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
/** Receives the command's wait status from wait4(). */
const status = Buffer.alloc(16);
// TODO: two different waits. The second one fails with ECHILD (-10) when no child is left.
void [mayFail, resultOf, wait4];

const guardian: Item[] = [
  // TODO: ask the kernel to hand orphans to this process
  { control: 'fork', step: child, parent: 'guard' },
  ...program(command),
  { control: 'label', name: 'guard' },
  // TODO: wait for any child until the command has ended; then keep waiting until no child is left.
  ...exitAs(status),
];
void [PR, prctl];

const pid = clone(0, guardian);
process.exitCode = await statusOf(pid);
