// A compiled program for another name: programs that differ in a name alone, such as the id of a container in many
// paths, are compiled once.
import type { Program } from './program.ts';
import type { Arg } from './step.ts';

/** Names, each with its successor, which is as long; a name that begins with another one comes first. */
export type Names = readonly (readonly [from: string, to: string])[];

/** The program with other names in its data: its code stays as it is. */
export function renamedProgram(program: Program, names: Names): Program {
  const rename = (text: string): string =>
    names.reduce((present, [from, to]) => present.replaceAll(from, to), text);
  const inArg = (arg: Arg): Arg =>
    typeof arg === 'string' ? rename(arg) : Array.isArray(arg) ? arg.map(rename) : arg;
  return {
    ...program,
    data: Buffer.from(rename(program.data.toString('latin1')), 'latin1'),
    /** Only a failure or a trace needs them. */
    get steps() {
      return program.steps.map(step => ({
        ...step,
        args: step.args.map(inArg),
        ...(step.why === undefined ? {} : { why: rename(step.why) }),
      }));
    },
  };
}
