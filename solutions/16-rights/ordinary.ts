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
  ...all
    .filter(number => number !== capability)
    .map(number => mayFail(prctl(PR.CAPBSET_DROP, number, 0, 0, 0), 'EINVAL')),
  prctl(PR.SET_KEEPCAPS, 1, 0, 0, 0),
  setgroups(0, Buffer.alloc(0)),
  setresgid(gid, gid, gid),
  setresuid(uid, uid, uid),
  capset(VERSION_3, sets),
  prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, capability, 0, 0),
  prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0),
  ...program(command),
];

const pid = clone(0, steps);
process.exitCode = await statusOf(pid);
