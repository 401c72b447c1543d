// `learn run N` and `learn shell`: in a sandbox, with our terminal.

import { chapterNamed } from '../course.ts';
import { repository } from '../repository.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { dim, print, printError } from '../screen.ts';

export async function run(name: string, args: readonly string[]): Promise<void> {
  const { slug } = chapterNamed(name);
  // `learn run 3 -- --hostname web` and without the -- mean the same.
  const rest = args[0] === '--' ? args.slice(1) : args;
  await inSandbox(['node', `chapters/${slug}/box.ts`, ...rest]);
}

export async function shell(command: readonly string[]): Promise<void> {
  if (command.length > 0) return inSandbox(command);
  print(dim('a sandbox: everything in it may be changed and removed. `exit` leads back.'));
  await inSandbox(shellCommand);
}

/** The prompt is in a file and not in the environment: shells in boxes shall have their own. */
const SHELL = `
if command -v bash >/dev/null; then
  echo 'PS1="sandbox:\\W\\$ "' > /run/learn-shell
  exec bash --noprofile --rcfile /run/learn-shell
fi
echo 'PS1="sandbox$ "' > /run/learn-shell
ENV=/run/learn-shell exec sh`;

/** A shell with a prompt that says where it is. */
export const shellCommand: readonly string[] = ['sh', '-c', SHELL];

async function inSandbox(argv: readonly string[]): Promise<void> {
  // Ctrl-C is for what runs inside. SIGTERM and SIGHUP are for us, and end it all with us.
  const ignore = (): void => {};
  process.on('SIGINT', ignore).on('SIGQUIT', ignore);
  await using sandbox = await Sandbox.create();
  if (sandbox.withoutGroups !== undefined) printError(dim(`(${sandbox.withoutGroups})`));
  const entered = await sandbox.enter(argv, { directory: repository });
  const { code } = await entered.ended;
  process.exitCode = code;
}
