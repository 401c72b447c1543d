// The command `learn`.
import { Command, InvalidArgumentError } from 'commander';
import { SyscallError } from '#linux';
import { answers } from './commands/answers.ts';
import { api } from './commands/api.ts';
import * as capstone from './commands/capstone.ts';
import { certificate } from './commands/certificate.ts';
import { check, watch } from './commands/check.ts';
import { clean } from './commands/clean.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { grade } from './commands/grade.ts';
import { hint, solution } from './commands/hint.ts';
import { look } from './commands/look.ts';
import { map } from './commands/map.ts';
import { read } from './commands/read.ts';
import { run, shell } from './commands/run.ts';
import { reset, start } from './commands/start.ts';
import { tour } from './commands/tour.ts';
import { web } from './commands/web.ts';
import { UserError } from './course.ts';
import { removeAbandonedHierarchies } from './sandbox/escapes.ts';
import { removeAbandonedGroups } from './sandbox/groups.ts';
import { closeSandboxes } from './sandbox/sandbox.ts';
import { printError, wrap } from './screen.ts';

const seed = ['--seed <seed>', 'use the same names and values as an earlier check'] as const;
const patience = ['--patience <factor>', 'multiply all time limits, for a slow machine', positive] as const;

const program = new Command('learn')
  .description(
    'The course: from one system call to a working Docker. Without a command it shows your progress.',
  )
  .usage('[command]')
  .argument('[command]')
  .action(whereYouAre)
  // Descriptions are folded in narrow terminals, too.
  .configureHelp({ minWidthToWrap: 20 })
  .enablePositionalOptions()
  .showHelpAfterError()
  .allowExcessArguments();

program
  .command('read <chapter>')
  .option('-e, --exercise', 'read its exercise instead')
  .description('read a chapter')
  .action(read);
program
  .command('run <chapter>')
  .argument('[command...]', "arguments for the chapter's program")
  .description("run a chapter's program in a sandbox")
  .passThroughOptions()
  .action(run);
program
  .command('shell [command...]')
  .option('--escapes', 'with a disk and a release_agent to break out by, for chapter 16')
  .description('open a sandbox to experiment in')
  .passThroughOptions()
  .action(shell);
program
  .command('look')
  .description('see the sandbox as the kernel has it, live, in a second terminal')
  .action(look);
program
  .command('diff <chapter>')
  .description('show what changed in the program since the chapter before')
  .action(diff);
program
  .command('start <chapter>')
  .option('--from-solution', 'catch up: copy the solution, except for files you have changed')
  .description('copy an exercise into work/')
  .action(start);
program
  .command('check [chapter]')
  .option(...seed)
  .option(...patience)
  .option('-t, --task <id>', 'check only this task')
  .description('check whether your programs do what the exercise asks')
  .action(check);
program
  .command('watch [chapter]')
  .option(...seed)
  .option(...patience)
  .option('-t, --task <id>', 'check only this task')
  .description('check again after each change')
  .action(watch);
program.command('hint [chapter] [task]').description('show the next hint').action(hint);
program
  .command('solution [chapter]')
  .option('--force', 'show it before yours has passed')
  .description('show our solution, and how yours differs')
  .action(solution);
program
  .command('answers <chapter>')
  .description("answer a chapter's questions, and compare with our answers")
  .action(answers);
program
  .command('api [name]')
  .description('look up a function of #linux: signature, manual page, example')
  .action(api);
program
  .command('tour [stop]')
  .option('-a, --answer', "show the answer to the stop's question")
  .description('walk through the engine in twelve stops, after the chapters')
  .action(tour);
const ownDocker = program
  .command('capstone [folder]')
  .description('write a container engine of your own, in any language: the map, and its commands')
  .action(capstone.capstoneMap);
const stage = ['-s, --stage <stage>', 'only this stage: its number or its name'] as const;
ownDocker
  .command('init [folder]')
  .option('-l, --language <language>', 'ts, js, python, go, rust, c or sh; ts by default')
  .description('make a folder with a starter that passes stage 1')
  .action(capstone.init);
ownDocker.command('read [stage]').description('read what a stage asks for').action(capstone.readStage);
ownDocker
  .command('check [folder]')
  .option(...stage)
  .option(...seed)
  .option(...patience)
  .description('check all stages up to the first that fails')
  .action(capstone.checkStages);
ownDocker
  .command('watch [folder]')
  .option(...stage)
  .option(...seed)
  .option(...patience)
  .description('check again after each change')
  .action(capstone.watchStages);
ownDocker
  .command('hint [folder]')
  .option(...stage)
  .description('show the next hint')
  .action(capstone.stageHint);
program
  .command('certificate [folder]')
  .requiredOption('-n, --name <name>', 'the name on it')
  .description('show and write down what your capstone has come to')
  .action(certificate);
program
  .command('web')
  .option('-p, --port <port>', 'the port on 127.0.0.1; a free one by default', portNumber)
  .option('--socket <path>', 'listen at a unix socket, for a tunnel: ssh -L 8080:PATH')
  .option('--export <directory>', 'write the course there as a static site')
  .description('show the course in a browser, which checks your work as you save it')
  .action(web);
program
  .command('reset <chapter>')
  .description('start an exercise again; your work is set aside')
  .action(reset);
program
  .command('grade')
  .argument('<folder...>', 'submissions: folders that contain 02-pid-namespace/ and so on')
  .option('--json', 'print JSON, for programs')
  .option('--junit', 'print JUnit XML, for CI servers')
  .option('--gradescope', "print Gradescope's results.json")
  .option(
    '-c, --chapter <number>',
    'grade only this chapter (repeat it: -c 2 -c 3); a chapter that was not handed in counts as zero',
    repeated,
  )
  .option('--capstone', 'grade the capstone: each folder is an engine, or contains one as capstone/')
  .option('-s, --stage <stage>', 'with --capstone: only this stage (repeat it)', repeated)
  .option(...seed)
  .option(...patience)
  .description('grade submissions (for teachers: docs/teaching.md)')
  .action(grade);
program.command('doctor').description('check whether this machine is fit for the course').action(doctor);
program.command('clean').description('remove what killed sandboxes left behind').action(clean);

async function whereYouAre(command: string | undefined): Promise<void> {
  if (command === undefined) return map();
  const names = program.commands.map(each => each.name()).join(', ');
  throw new UserError(`there is no command ${command}; there are ${names}`);
}

function repeated(name: string, before: string[] = []): string[] {
  return [...before, name];
}

function positive(text: string): number {
  const factor = Number(text);
  if (!(factor > 0)) throw new InvalidArgumentError('It must be a number greater than 0.');
  return factor;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
  return port;
}

// In `learn | head`, head closes the pipe once it has read enough.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  process.exit();
});

// Neither a closed terminal nor Ctrl-C may leave the control groups of sandboxes behind.
for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    // The command has its own way to end, or does not end.
    if (process.listenerCount(signal) > 0) return;
    await closeSandboxes();
    process.kill(process.pid, signal);
  });
}

program.hook('preAction', async (_, command) => {
  if (command.name() !== 'clean') await removeAbandonedGroups();
  await removeAbandonedHierarchies();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError || error instanceof SyscallError)) throw error;
  const hint = error instanceof SyscallError ? "\n'learn doctor' shows what this machine lacks" : '';
  printError(wrap(error.message, '       ', 'learn: ') + hint);
  process.exitCode = 1;
}
