// Chapter 16. A root that is not mighty: chapter 15's box, whose root keeps only the rights that it needs.
// Run: node chapters/16-rights/box.ts run [--privileged] [--cap-add NAME|ALL]… [--cap-drop NAME|ALL]… … IMAGE [COMMAND…]
//      and all the other options and verbs of chapter 15
import { clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { environmentOf, inBox } from '../11-exec/exec.ts';
import { readState, runningBox } from '../12-stay/state.ts';
import { withoutRights } from './rights.ts';

/** Runs a command in a running box. Namespaces do not bring the limits of its rights along: they are set again. */
async function exec([name = '', ...command]: string[]): Promise<void> {
  const box = runningBox(name);
  const { spec } = readState(name);
  const pid = clone(0, inBox(box, [...withoutRights(spec), ...program(command, environmentOf(box))]));
  process.exitCode = await statusOf(pid);
}

const [verb, ...words] = process.argv.slice(2);
// An ordinary user's command runs again, in the namespaces in which that user is root.
if (verb === 'exec' && process.geteuid!() === 0) await exec(words);
else await import('../15-users/box.ts');
