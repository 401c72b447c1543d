// Runs a command that can read a path, and not write it.   Run: node shut.ts PATH COMMAND…
import { CAP, CLONE, clone, type Item, MS, mount, PR, prctl } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { privateMounts } from '../../chapters/02-pid-namespace/own-proc.ts';

const [path = '', ...command] = process.argv.slice(2);

const steps: Item[] = [
  privateMounts(),
  mount({ source: path, target: path, flags: MS.BIND }),
  mount({ target: path, flags: MS.BIND | MS.REMOUNT | MS.RDONLY | MS.NOSUID | MS.NODEV }),
  prctl(PR.CAPBSET_DROP, CAP.SYS_ADMIN, 0, 0, 0),
  ...program(command),
];

const pid = clone(CLONE.NEWNS, steps);
process.exitCode = await statusOf(pid);
