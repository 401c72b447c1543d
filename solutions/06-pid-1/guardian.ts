// Runs a command, and ends when no process of it is left.   Run: node guardian.ts COMMAND…
import { clone, cloneCall, type Item, mayFail, PR, prctl, resultOf, SIG, wait4 } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { exitAs } from '../../chapters/06-pid-1/init.ts';

const command = process.argv.slice(2);

const child = cloneCall(SIG.CHLD, 0, null, 0, 0);
/** Receives the command's wait status from wait4(). */
const status = Buffer.alloc(16);
const anybody = wait4(-1, status, 0, null);
const others = mayFail(wait4(-1, null, 0, null), 'ECHILD');

const guardian: Item[] = [
  prctl(PR.SET_CHILD_SUBREAPER, 1, 0, 0, 0),
  { control: 'fork', step: child, parent: 'guard' },
  ...program(command),
  { control: 'label', name: 'guard' },
  anybody,
  { control: 'when', result: resultOf(anybody), is: 'different', value: resultOf(child), to: 'guard' },
  { control: 'label', name: 'others' },
  others,
  { control: 'when', result: resultOf(others), is: 'different', value: -10, to: 'others' },
  ...exitAs(status),
];

const pid = clone(0, guardian);
process.exitCode = await statusOf(pid);
