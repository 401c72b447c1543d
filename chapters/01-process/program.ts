// Runs a program as a shell does: looks it up in PATH, and reports the outcome as a number.
import { execve, type Item, mayFail, SyscallError, wait } from '#linux';

/** The list that becomes a program: one attempt for each directory of PATH, the first that succeeds is the last. execvp(3) */
export function program(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Item[] {
  const [name = ''] = argv;
  const directories = name.includes('/')
    ? ['']
    : (env.PATH ?? '/bin:/usr/bin').split(':').map(each => `${each}/`);
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const attempts = directories.map(directory =>
    mayFail(execve(directory + name, argv, variables), 'ENOENT', 'ENOTDIR', 'EACCES'),
  );
  return [...attempts, { control: 'fail', blame: attempts }];
}

/**
 * Waits for a process. @returns what a shell would: the program's own exit code, 128 + n if signal n killed it, 127 if it
 * was not found, 126 if it cannot be executed; as in Docker, 125 if an earlier step failed, with a message on stderr
 */
export async function statusOf(pid: number): Promise<number> {
  try {
    return await wait(pid);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    console.error(`box: ${error.message}`);
    if (error.syscall !== 'execve') return 125;
    return error.code === 'ENOENT' ? 127 : 126;
  }
}
