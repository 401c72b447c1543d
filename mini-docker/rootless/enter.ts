// Turns the daemon of an ordinary user into one that is root in that user's own namespaces. Node cannot enter
// a user namespace, since it has several threads (setns(2)); so this process becomes a small program, which
// enters and then becomes Node again: with the same pid, for whoever supervises it.
import { chmodSync, statSync } from 'node:fs';
import { call } from '../linux/call.ts';
import { resetSignals } from '../linux/child.ts';
import { AT, CLONE, F } from '../linux/constants.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../linux/elf.ts';
import { makeDirectories } from '../linux/make-directories.ts';
import { sealedExecutable } from '../linux/memfd.ts';
import { compile, type Item } from '../linux/program.ts';
import { hostArchitecture, mayFail, resultOf } from '../linux/step.ts';
import { chdir, execve, execveat, fcntl, setns, setresgid, setresuid, writeText } from '../linux/syscalls.ts';
import { ownNamespaces } from './namespaces.ts';

/**
 * Does not return.
 * @param options.command the daemon's program and arguments
 * @throws Error with one line when the namespaces cannot be made
 */
export async function enterOwnNamespaces(options: {
  command: readonly string[];
  dataRoot: string;
  runDir: string;
  /** Further variables of the daemon's. */
  environment: Record<string, string>;
  stopped: AbortSignal;
}): Promise<never> {
  const { command, dataRoot, runDir, stopped } = options;
  for (const directory of [dataRoot, runDir]) makePrivate(directory);
  const { pidfd, namespaces } = await ownNamespaces(runDir, stopped);
  const environment = {
    ...process.env,
    ...options.environment,
    MINI_DOCKER_DATA_ROOT: dataRoot,
    MINI_DOCKER_RUN_DIR: runDir,
  };
  const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const image = sealedExecutable('mini-docker', enterImage({ command, env, pidfd }));
  // Node has set these close-on-exec.
  for (const fd of [0, 1, 2, pidfd]) call(fcntl(fd, F.SETFD, 0));
  call(execveat(image, '', ['mini-docker'], [], AT.EMPTY_PATH));
  throw new Error(`cannot enter the namespaces of process ${namespaces.holder.pid}`);
}

/** Other users of this machine must neither reach the socket nor the files of containers. */
function makePrivate(directory: string): void {
  makeDirectories(directory, 0o700);
  const { uid } = statSync(directory);
  if (uid !== process.getuid!())
    throw new Error(`${directory} belongs to another user (${uid}): choose a directory of your own`);
  chmodSync(directory, 0o700);
}

function enterImage(options: { command: readonly string[]; env: string[]; pidfd: number }): Buffer {
  const { command, env, pidfd } = options;
  const architecture = hostArchitecture();
  const enter = mayFail(setns(pidfd, CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWNET));
  const items: Item[] = [
    enter,
    { control: 'when', result: resultOf(enter), is: 'different', value: 0, to: 'failed to enter' },
    mayFail(fcntl(pidfd, F.SETFD, 1)),
    setresgid(0, 0, 0),
    setresuid(0, 0, 0),
    // The kernel has moved it to the root of the mount namespace, and settings may name files by relative paths.
    mayFail(chdir(process.cwd()), 'ENOENT', 'EACCES'),
    ...resetSignals(),
    mayFail(execve(command[0]!, [...command], env)),
    { control: 'label', name: 'failed to enter' },
    writeText(
      2,
      "mini-docker: cannot enter the user's own namespaces: end the processes mini-docker-namespaces, and try again\n",
    ),
    { control: 'exit', status: 1 },
  ];
  const { code, data } = compile(items, { architecture, dataAddress: ELF_DATA_ADDRESS });
  return encodeElf({ architecture, code, data });
}
