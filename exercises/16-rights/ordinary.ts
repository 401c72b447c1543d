// Runs a command as an ordinary user with one capability.   Run: node ordinary.ts UID GID CAPABILITY COMMAND…
import {
  CAP,
  capset,
  clone,
  type Item,
  mayFail,
  PR,
  PR_CAP_AMBIENT,
  prctl,
  setgroups,
  setresgid,
  setresuid,
} from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { VERSION_3 } from '../../chapters/16-rights/capabilities.ts';

const [uid, gid] = process.argv.slice(2, 4).map(Number) as [number, number];
const [name = '', ...command] = process.argv.slice(4);
const capability = CAP[name as keyof typeof CAP];

/** The numbers of all capabilities that there may ever be. */
const all = Array.from({ length: 64 }, (_, number) => number);
/** Twice effective, permitted and inheritable: the lower 32 bits, then the upper ones. Each has this one capability. */
const one = new Uint32Array(6);
one.fill(2 ** (capability % 32), capability < 32 ? 0 : 3, capability < 32 ? 3 : 6);
const sets = Buffer.from(one.buffer);

const steps: Item[] = [
  // TODO: five sets, three kinds of ids, and a door that must be locked.
  ...program(command),
];
void [
  all,
  capset,
  gid,
  mayFail,
  PR,
  PR_CAP_AMBIENT,
  prctl,
  setgroups,
  setresgid,
  setresuid,
  sets,
  uid,
  VERSION_3,
];

const pid = clone(0, steps);
process.exitCode = await statusOf(pid);
