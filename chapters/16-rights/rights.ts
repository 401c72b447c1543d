// What chapter 16 adds to every box, and to the options of `run`. To import this file is to add it.
import type { Item } from '#linux';
import { added } from '../12-stay/container.ts';
import { addedOptions, type Spec } from '../12-stay/spec.ts';
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
export function withoutRights({ privileged, capabilities = USUAL }: Spec): Item[] {
  return privileged ? [] : [...keepCapabilities(capabilities), filterCalls(boxFilter(capabilities))];
}

added.toGroup = async (group, spec) => {
  if (!spec.privileged) await allowDevices(group);
};
added.beforeProgram = spec => (spec.privileged ? [] : [...closePaths(), ...withoutRights(spec)]);
