// Runs a command that cannot make some system calls.   Run: node refuse.ts CALL=ERRNO,… COMMAND…
import { clone, type Item, PR, prctl } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { filterCalls, type Instruction } from '../../chapters/16-rights/filter.ts';

/** The numbers of the calls that it knows. */
const NUMBERS: Record<string, { x64: number; arm64: number }> = {
  chroot: { x64: 161, arm64: 51 },
  mkdirat: { x64: 258, arm64: 34 },
  sethostname: { x64: 170, arm64: 161 },
  socket: { x64: 41, arm64: 198 },
  umask: { x64: 95, arm64: 166 },
  unshare: { x64: 272, arm64: 97 },
};
/** AUDIT_ARCH_*. */
const ARCHITECTURES = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
const own = process.arch === 'arm64' ? 'arm64' : 'x64';

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
/** With the errno in the lower half. */
const ERRNO = 0x0005_0000;
const KILL_PROCESS = 0x8000_0000;

const [list = '', ...command] = process.argv.slice(2);
const refused = list.split(',').map(each => {
  const [call = '', errno] = each.split('=');
  return { number: NUMBERS[call]![own], errno: Number(errno) };
});

const filter: Instruction[] = [
  // TODO: what becomes of a call?
];
const steps: Item[] = [
  // TODO: load it.
  ...program(command),
];
void [
  ALLOW,
  ARCHITECTURES,
  ERRNO,
  filter,
  filterCalls,
  IF_EQUAL,
  KILL_PROCESS,
  LOAD,
  PR,
  prctl,
  refused,
  RETURN,
];

const pid = clone(0, steps);
process.exitCode = await statusOf(pid);
