// Runs a command in a box whose /dev has one device.   Run: node device.ts ROOT DEVICE COMMAND…
import { AT, CLONE, clone, close, type Item, MS, mkdirat, mount, O, openat, resultOf } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';
import { privateMounts } from '../../chapters/02-pid-namespace/own-proc.ts';
import { bindRoot, enterRoot } from '../../chapters/05-root/root.ts';

const [root = '', device = '', ...command] = process.argv.slice(2);

const place = `${root}/dev/${device}`;
const file = openat(AT.FDCWD, place, O.CREAT | O.WRONLY | O.CLOEXEC, 0o666);
const dev: Item[] = [
  mount({ source: 'dev', target: `${root}/dev`, type: 'tmpfs' }),
  file,
  close(resultOf(file)),
  mount({ source: `/dev/${device}`, target: place, flags: MS.BIND }),
  mkdirat(AT.FDCWD, `${root}/dev/pts`, 0o755),
  mount({ source: 'devpts', target: `${root}/dev/pts`, type: 'devpts', options: 'newinstance' }),
];

const steps: Item[] = [privateMounts(), bindRoot(root), ...dev, ...enterRoot(root)];
const pid = clone(CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
