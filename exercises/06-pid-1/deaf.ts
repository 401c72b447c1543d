// Prints which signals would have no effect on a process.   Run: node deaf.ts PID
import { readStatus, SIG } from '#linux';

const { signals, nspid } = readStatus(Number(process.argv[2]))!;
const NAMES = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM'] as const;

/** Signal 1 is the lowest bit. */
function has(set: bigint, name: (typeof NAMES)[number]): boolean {
  // TODO
  void [set, name, SIG];
  return false;
}

// TODO: is it number 1? nspid holds its pids, from our namespace inwards.
void nspid;

for (const name of NAMES) {
  // TODO: for which processes does signals.caught decide, and for which signals.ignored?
  if (has(signals.ignored, name)) console.log(name);
}
