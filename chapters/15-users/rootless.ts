// For an ordinary user: namespaces in which he is root, one set for all of his boxes, and commands that run in there.
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
  resultOf,
  SIG,
  setns,
  setsid,
  startChild,
} from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { mapIds } from './ids.ts';

const STATE = '/tmp/box';
/** Namespaces last as long as somebody is in them: a process that sleeps, and is known by this file. */
const PAUSE = `${STATE}/pause.json`;
/** The mounts and networks that we want to make have to belong to our user namespace. */
const NAMESPACES = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWNET;

/** Runs a command as root of the user's own namespaces. @returns its exit code */
export async function asOwnRoot(argv: readonly string[]): Promise<number> {
  const pause = findPause() ?? (await startPause());
  const pid = clone(0, [
    because('whoever has made a user namespace may do everything in it', setns(pause, NAMESPACES)),
    // With the mount namespace the working directory has become its root.
    chdir(process.cwd()),
    ...program(argv),
  ]);
  process.on('SIGTERM', () => call(mayFail(kill(pid, SIG.TERM))));
  return statusOf(pid);
}

/** @returns a pidfd */
function findPause(): number | undefined {
  mkdirSync(STATE, { recursive: true });
  if (statSync(STATE).uid !== process.geteuid!())
    throw new Mistake(`${STATE} belongs to somebody else: there is one for each machine, not for each user`);
  if (!existsSync(PAUSE)) return undefined;
  return openProcess(JSON.parse(readFileSync(PAUSE, 'utf8')) as ProcessIdentity);
}

async function startPause(): Promise<number> {
  const mapped = pipe();
  const nothing = openat(AT.FDCWD, '/dev/null', O.RDWR | O.CLOEXEC, 0);
  const { pid, pidfd, executed } = startChild(
    [
      close(mapped.writeEnd),
      because('our ids are mapped from outside', { ...read(mapped.readEnd, Buffer.alloc(1)), expect: 1 }),
      setsid(),
      nothing,
      // Whoever waits for the end of our output shall not wait for that of the pause.
      ...[0, 1, 2].map(stream => dup3(resultOf(nothing), stream, 0)),
      privateMounts(),
      ...program(['sleep', 'infinity']),
    ],
    { flags: NAMESPACES, doing: 'cannot make a user namespace' },
  );
  mapIds(pid);
  writeSync(mapped.writeEnd, '!');
  await executed;
  writeFileSync(PAUSE, JSON.stringify(processIdentity(pid)));
  return pidfd;
}
