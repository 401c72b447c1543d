// Prints which signals would have no effect on a process.   Run: node deaf.ts PID
import { readStatus, SIG } from '#linux';

const { signals, nspid } = readStatus(Number(process.argv[2]))!;
const NAMES = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM'] as const;

/** Signal 1 is the lowest bit. */
function has(set: bigint, name: (typeof NAMES)[number]): boolean {
  return ((set >> BigInt(SIG[name] - 1)) & 1n) === 1n;
}

const isNumber1 = nspid.at(-1) === 1;

for (const name of NAMES) {
  if (isNumber1 ? !has(signals.caught, name) : has(signals.ignored, name)) console.log(name);
}
