// The course's command.
import { Command, InvalidArgumentError } from 'commander';
import { SyscallError } from '#linux';
import { answers } from './commands/answers.ts';
import { api } from './commands/api.ts';
import { check, watch } from './commands/check.ts';
import { clean } from './commands/clean.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { grade } from './commands/grade.ts';
import { hint, solution } from './commands/hint.ts';
import { map } from './commands/map.ts';
import { read } from './commands/read.ts';
import { run, shell } from './commands/run.ts';
import { reset, start } from './commands/start.ts';
import { UserError } from './course.ts';
import { removeEmptyGroups } from './sandbox/groups.ts';
import { printError, wrap } from './screen.ts';

const seed = ['--seed <seed>', 'bring back the names and values of an earlier check'] as const;
const patience = ['--patience <factor>', 'times all time limits, for a slow machine', positive] as const;

const program = new Command('learn')
  .description('The course: from one system call to a working Docker. Without a command: where you are.')
  .usage('[command]')
  .argument('[command]')
  .action(whereYouAre)
  .enablePositionalOptions()
  .showHelpAfterError()
  .allowExcessArguments();

program
  .command('read')
  .argument('<chapter>')
  .option('-e, --exercise', 'its tasks')
  .description('read a chapter')
  .action(read);
program
  .command('run')
  .argument('<chapter>')
  .argument('[command...]', "what the chapter's program is to run")
  .description("run a chapter's program in a sandbox")
  .passThroughOptions()
  .action(run);
program
  .command('shell')
  .argument('[command...]')
  .description('a sandbox to experiment in')
  .passThroughOptions()
  .action(shell);
program
  .command('diff')
  .argument('<chapter>')
  .description("what a chapter's program changed against the last")
  .action(diff);
program
  .command('start')
  .argument('<chapter>')
  .option('--from-solution', 'catch up: the solution, except where you have worked')
  .description('put the exercise into work/')
  .action(start);
program
  .command('check')
  .argument('[chapter]')
  .option(...seed)
  .option(...patience)
  .option('-t, --task <id>', 'this task only')
  .description('does it do what was asked for?')
  .action(check);
program
  .command('watch')
  .argument('[chapter]')
  .option(...seed)
  .option(...patience)
  .option('-t, --task <id>', 'this task only')
  .description('check after each change')
  .action(watch);
program.command('hint').argument('[chapter]').argument('[task]').description('the next hint').action(hint);
program
  .command('solution')
  .argument('[chapter]')
  .option('--force', 'before yours has passed')
  .description('our solution, and how yours differs')
  .action(solution);
program
  .command('answers')
  .argument('<chapter>')
  .description("answer a chapter's questions, and compare")
  .action(answers);
program
  .command('api')
  .argument('[name]')
  .description('what #linux offers: signature, manual page, example')
  .action(api);
program
  .command('reset')
  .argument('<chapter>')
  .description('begin an exercise again; your work is set aside')
  .action(reset);
program
  .command('grade')
  .argument('<folder...>', 'submissions: folders with 02-pid-namespace/ and so on in them')
  .option('--json', 'for programs')
  .option('--junit', 'for CI servers')
  .option('--gradescope', 'results.json')
  .option(
    '-c, --chapter <number>',
    'this chapter only, and so on: -c 2 -c 3; one that is not handed in counts as zero',
    (name: string, before: string[] = []) => [...before, name],
  )
  .option(...seed)
  .option(...patience)
  .description('grade submissions (for teachers: docs/teaching.md)')
  .action(grade);
program.command('doctor').description('can this machine do it?').action(doctor);
program.command('clean').description('remove what sandboxes left behind').action(clean);

async function whereYouAre(command: string | undefined): Promise<void> {
  if (command === undefined) return map();
  const names = program.commands.map(each => each.name()).join(', ');
  throw new UserError(`there is no command ${command}; there are ${names}`);
}

function positive(text: string): number {
  const factor = Number(text);
  if (!(factor > 0)) throw new InvalidArgumentError('It is a number above 0.');
  return factor;
}

// `learn | head` has read enough.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  process.exit();
});

program.hook('preAction', (_, command) => {
  if (command.name() !== 'clean') removeEmptyGroups();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError || error instanceof SyscallError)) throw error;
  const hint = error instanceof SyscallError ? "\n'learn doctor' tells what this machine lacks" : '';
  printError(wrap(error.message, '       ', 'learn: ') + hint);
  process.exitCode = 1;
}
