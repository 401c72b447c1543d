// Chapter 16. A root that is not mighty: chapter 15's box, whose root keeps only the rights that it needs.
// Run: node chapters/16-rights/box.ts run [--privileged] [--cap-add NAME|ALL]… [--cap-drop NAME|ALL]… … IMAGE [COMMAND…]
//      and all the other options and verbs of chapter 15
import { clone, type Item } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { environmentOf, inBox } from '../11-exec/exec.ts';
import { added } from '../12-stay/container.ts';
import { addedOptions, type Spec } from '../12-stay/spec.ts';
import { readState, runningBox } from '../12-stay/state.ts';
import { capabilitiesNamed, keepCapabilities, USUAL } from './capabilities.ts';
import { allowDevices } from './devices.ts';
import { boxFilter, filterCalls } from './filter.ts';
import { closePaths } from './paths.ts';

addedOptions['--privileged'] = spec => {
  spec.privileged = true;
};
addedOptions['--cap-add'] = (spec, next) => {
  spec.capabilities = [...(spec.capabilities ?? USUAL), ...capabilitiesNamed(next())];
};
addedOptions['--cap-drop'] = (spec, next) => {
  const dropped = capabilitiesNamed(next());
  spec.capabilities = (spec.capabilities ?? USUAL).filter(each => !dropped.includes(each));
};

/** The filter comes last: it refuses calls that the steps before it make. */
function withoutRights({ privileged, capabilities = USUAL }: Spec): Item[] {
  return privileged ? [] : [...keepCapabilities(capabilities), filterCalls(boxFilter(capabilities))];
}

added.toGroup = async (group, spec) => {
  if (!spec.privileged) await allowDevices(group);
};
added.beforeProgram = spec => (spec.privileged ? [] : [...closePaths(), ...withoutRights(spec)]);

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
