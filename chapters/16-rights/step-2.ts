// The same box, which gives its descriptors up.   Run: node chapters/16-rights/step-2.ts COMMAND…
import {
  AT,
  CLONE,
  CLOSE_RANGE,
  closeRange,
  dup3,
  F,
  fcntl,
  O,
  openat,
  reap,
  resetSignals,
  resultOf,
  startChild,
  watchExit,
} from '#linux';
import { program } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { busyboxRoot } from '../05-root/busybox.ts';
import { bindRoot, enterRoot, systemDirectories } from '../05-root/root.ts';

const root = busyboxRoot();
/** The box's log will be written in here. */
const state = openat(AT.FDCWD, '/tmp/box', O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
const { pidfd } = startChild(
  [
    state,
    dup3(resultOf(state), 7, 0),
    privateMounts(),
    bindRoot(root),
    ...systemDirectories(root),
    ...enterRoot(root),
    closeRange(3, 0xffff_ffff, CLOSE_RANGE.CLOEXEC),
    ...[0, 1, 2].map(stream => fcntl(stream, F.SETFD, 0)),
    ...resetSignals(),
    ...program(process.argv.slice(2)),
  ],
  { flags: CLONE.NEWPID | CLONE.NEWNS },
);
await watchExit(pidfd);
process.exitCode = reap(pidfd)?.code ?? 125;
