// Starts a program in a sandbox: joins its groups and namespaces, forks (only children can be in another pid namespace)
// and executes.
import { closeSync, fstatSync } from 'node:fs';
import {
  AT,
  because,
  CLONE,
  call,
  chdir,
  cloneCall,
  close,
  dup3,
  type ExitStatus,
  execve,
  exitGroup,
  F,
  fcntl,
  type Item,
  killProcess,
  O,
  openat,
  pidfdOpen,
  reap,
  resultOf,
  SIG,
  setns,
  setsid,
  startChild,
  watchExit,
  writeText,
} from '#linux';
import { handOver, makeBlocking } from '../../mini-docker/linux/clone.ts';
import { compiledDirectory, nodeDirectory } from '../repository.ts';
import { COMMANDS } from './plan.ts';
import { withheldRights } from './rights.ts';

export interface EnterOptions {
  /** Working directory inside the sandbox. */
  directory?: string;
  environment?: Record<string, string>;
  /**
   * Descriptors for 0, 1 and 2, by default our own; the caller keeps and closes them. The machine's /dev/null is
   * replaced by the sandbox's, because root can change a file's permissions through a descriptor too.
   */
  streams?: readonly [number, number, number];
  /** Whether it gets a session of its own, so that no terminal sends it signals. */
  session?: boolean;
}

export interface Entered {
  /** Its pid on the machine. */
  readonly pid: number;
  /** Settles with the exit code, once all resources have been given back. */
  readonly ended: Promise<ExitStatus>;
  kill(signal: number): void;
}

/** Where a sandbox has the machine's programs. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PASSED_ON = [
  'TERM',
  'COLORTERM',
  'NO_COLOR',
  'FORCE_COLOR',
  'LANG',
  'LC_ALL',
  'COLUMNS',
  'LINES',
  'LEARN_WORK',
  'SUDO_UID',
  'SUDO_GID',
];

export function sandboxEnvironment(): Record<string, string> {
  const passed = PASSED_ON.flatMap(name =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return {
    ...Object.fromEntries(passed),
    PATH: `${COMMANDS}:${nodeDirectory}:${SYSTEM_PATH}`,
    HOME: '/root',
    // Read-only in effect: additions made in a sandbox disappear with it, and cannot harm later sandboxes.
    NODE_COMPILE_CACHE: compiledDirectory,
    LEARN_SANDBOX: '1',
  };
}

/** Joins a control group by writing to its list of processes. */
export function joinGroup(directory: string): Item[] {
  const file = openat(AT.FDCWD, `${directory}/cgroup.procs`, O.WRONLY | O.CLOEXEC, 0);
  return [file, because('join the group', writeText(resultOf(file), '0')), close(resultOf(file))];
}

/** @throws SyscallError naming the step that failed; it leaves no process behind */
export async function enter(sandbox: {
  pidfd: number;
  /** Namespaces to join: CLONE.NEW* */
  namespaces: number;
  userNamespace: boolean;
  homes: readonly string[];
  argv: readonly string[];
  options: EnterOptions;
}): Promise<Entered> {
  const { pidfd, namespaces, userNamespace, homes, argv, options } = sandbox;
  const { directory = '/', environment = {}, streams, session = false } = options;
  const env = Object.entries({ ...sandboxEnvironment(), ...environment }).map(
    ([name, value]) => `${name}=${value}`,
  );
  if (streams === undefined) for (const fd of [0, 1, 2]) makeBlocking(fd);
  const fork = cloneCall(SIG.CHLD | CLONE.VM | CLONE.PARENT, 0, null, 0, 0);
  const first = startChild(
    [
      ...homes.flatMap(joinGroup),
      setns(pidfd, namespaces),
      { control: 'fork', step: fork, parent: 'first' },
      ...(session ? [setsid()] : []),
      ...streamItems(streams),
      chdir(directory),
      ...(userNamespace ? [] : withheldRights()),
      ...handOver(),
      // The shell looks up the program in PATH, and distinguishes 126 from 127.
      execve('/bin/sh', ['sh', '-c', 'exec "$@"', 'sh', ...argv], env),
      { control: 'label', name: 'first' },
      exitGroup(0),
    ],
    { doing: 'cannot enter the sandbox' },
  );
  const failed = await first.executed.then(
    () => undefined,
    error => error,
  );
  await watchExit(first.pidfd);
  reap(first.pidfd);
  closeSync(first.pidfd);
  const pid = first.results.of(fork);
  if (pid <= 0) throw failed;
  const child = call(pidfdOpen(pid, 0));
  let open = true;
  const ended = watchExit(child).then(() => {
    const status = reap(child)!;
    open = false;
    closeSync(child);
    return status;
  });
  if (failed !== undefined) {
    await ended;
    throw failed;
  }
  return { pid, ended, kill: signal => void (open && killProcess(child, signal)) };
}

function streamItems(streams: readonly [number, number, number] = [0, 1, 2]): Item[] {
  // First moved out of the way: descriptor 2 may be wanted as 0.
  const raised = streams.map(fd =>
    isNull(fd) ? openat(AT.FDCWD, '/dev/null', O.RDWR | O.CLOEXEC, 0) : fcntl(fd, F.DUPFD_CLOEXEC, 100),
  );
  return [...raised, ...raised.map((step, number) => dup3(resultOf(step), number, 0))];
}

function isNull(fd: number): boolean {
  const status = fstatSync(fd);
  return status.isCharacterDevice() && status.rdev === NULL_DEVICE;
}

/** makedev(1, 3), <linux/major.h> */
const NULL_DEVICE = 0x103;
