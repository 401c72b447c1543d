// `learn run N` and `learn shell`: programs in a sandbox, on the learner's terminal.

import { chapterNamed, UserError } from '../course.ts';
import { repository } from '../repository.ts';
import { CannotEscape, type Escapes, openEscapes } from '../sandbox/escapes.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { dim, paint, print, printError, wrap } from '../screen.ts';
import { makeWorkFolder } from '../work.ts';

export async function run(name: string, args: readonly string[]): Promise<void> {
  const { slug } = chapterNamed(name);
  // `learn run 3 -- --hostname web` means the same with and without the --.
  const rest = args[0] === '--' ? args.slice(1) : args;
  await inSandbox(['node', `chapters/${slug}/box.ts`, ...rest]);
}

export async function shell(
  command: readonly string[],
  { escapes = false }: { escapes?: boolean } = {},
): Promise<void> {
  if (command.length > 0) return inSandbox(command, escapes);
  print(
    dim(
      wrap(
        `This is a sandbox, as the prompt ${PROMPT} says: only work/ is real. Type \`exit\` to leave.`,
        '',
      ),
    ),
  );
  await inSandbox(shellCommand, escapes);
}

const PROMPT = '[sandbox]';
const coloured = (start: string, end: string): string => {
  const [before, after] = paint.inverse.bold('|').split('|') as [string, string];
  return before === '' ? PROMPT : `${start}${before}${end}${PROMPT}${start}${after}${end}`;
};

/** The prompt is set in a file, not in the environment, so that shells in boxes do not inherit it. */
const SHELL = `
if command -v bash >/dev/null; then
  echo 'PS1="${coloured('\\[', '\\]')} \\W \\$ "' > /run/sandbox/shell
  exec bash --noprofile --rcfile /run/sandbox/shell
fi
echo 'PS1="${coloured('', '')} $ "' > /run/sandbox/shell
ENV=/run/sandbox/shell exec sh`;

/** A shell with a prompt that says where it is. */
export const shellCommand: readonly string[] = ['sh', '-c', SHELL];

const WAYS_OUT =
  'This sandbox has two ways out to your machine, for chapter 16: type what the chapter shows, and leave it afterwards.';

function waysOut(): Escapes {
  try {
    return openEscapes();
  } catch (error) {
    throw error instanceof CannotEscape ? new UserError(error.message) : error;
  }
}

async function inSandbox(argv: readonly string[], escapes = false): Promise<void> {
  // Ctrl-C goes to the program inside. SIGTERM and SIGHUP end this process, and the sandbox with it.
  const ignore = (): void => {};
  process.on('SIGINT', ignore).on('SIGQUIT', ignore);
  const work = makeWorkFolder();
  await using ways = escapes ? waysOut() : undefined;
  if (ways !== undefined && process.stderr.isTTY) printError(dim(wrap(WAYS_OUT, '')));
  await using sandbox = await Sandbox.create({
    placed: [{ source: work, target: work, as: 'itself' }],
    escapes: ways,
  });
  if (sandbox.withoutGroups !== undefined) printError(dim(`(${sandbox.withoutGroups})`));
  const entered = await sandbox.enter(argv, {
    directory: repository,
    environment: ways?.environment(sandbox.pid) ?? {},
  });
  const { code } = await entered.ended;
  process.exitCode = code;
}
