// Namespaces in which an ordinary user is root, shared by all of the user's boxes, and commands that run in them.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import {
  AT,
  because,
  CLONE,
  call,
  chdir,
  clone,
  close,
  dup3,
  kill,
  mayFail,
  O,
  openat,
  openProcess,
  type ProcessIdentity,
  pipe,
  processIdentity,
  read,
  resetSignals,
  resultOf,
  SIG,
  setns,
  setsid,
  startChild,
} from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { addedVerbs } from '../12-stay/spec.ts';
import { mapIds } from './ids.ts';

addedVerbs.push('unshare');

const STATE = '/tmp/box';
/** Identifies the pause process. A namespace exists as long as a process is in it: this one sleeps, and keeps ours. */
const PAUSE = `${STATE}/pause.json`;
/** Mounts and networks can be changed only if their namespace belongs to our user namespace. */
const NAMESPACES = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWNET;

/** Runs a command as root in the user's own namespaces. @returns its exit code */
export async function asOwnRoot(argv: readonly string[]): Promise<number> {
  const pause = findPause() ?? (await startPause());
  const pid = clone(0, [
    because('the creator of a user namespace has all capabilities in it', setns(pause, NAMESPACES)),
    because('entering a mount namespace changes the working directory to its root', chdir(process.cwd())),
    ...program(argv),
  ]);
  process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
  return statusOf(pid);
}

/** @returns a pidfd; undefined if no pause process is running */
function findPause(): number | undefined {
  mkdirSync(STATE, { recursive: true });
  if (statSync(STATE).uid !== process.geteuid!())
    throw new Mistake(`${STATE} belongs to another user, whose boxes are kept there`);
  if (!existsSync(PAUSE)) return undefined;
  return openProcess(JSON.parse(readFileSync(PAUSE, 'utf8')) as ProcessIdentity);
}

async function startPause(): Promise<number> {
  const mapped = pipe();
  const nothing = openat(AT.FDCWD, '/dev/null', O.RDWR | O.CLOEXEC, 0);
  const { pid, pidfd, executed } = startChild(
    [
      close(mapped.writeEnd),
      because('the ids are mapped from outside', { ...read(mapped.readEnd, Buffer.alloc(1)), expect: 1 }),
      setsid(),
      nothing,
      // A reader of our output waits until every process that has it open ends: the pause process must not be one.
      ...[0, 1, 2].map(stream => dup3(resultOf(nothing), stream, 0)),
      privateMounts(),
      ...resetSignals(),
      ...program(['sleep', 'infinity']),
    ],
    { flags: NAMESPACES, doing: 'cannot create a user namespace' },
  );
  // If this fails, the child reads the end of the pipe instead, and ends.
  mapIds(pid);
  writeSync(mapped.writeEnd, '!');
  await executed;
  writeFileSync(PAUSE, JSON.stringify(processIdentity(pid)));
  return pidfd;
}
