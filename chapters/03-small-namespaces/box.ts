// Chapter 3. A box with a name.
// Run: node chapters/03-small-namespaces/box.ts [--hostname NAME] [--uts FILE] COMMAND…
import { CLONE, clone, type Item, sethostname } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { ownProc, privateMounts } from '../02-pid-namespace/own-proc.ts';
import { joinNamespace } from './join.ts';

const options = new Map<string, string>();
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) options.set(command.shift()!, command.shift() ?? '');
if (command.length === 0) command.push('sh');

let flags = CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWIPC | CLONE.NEWCGROUP;
const steps: Item[] = [];

const uts = options.get('--uts');
if (uts === undefined) flags |= CLONE.NEWUTS;
else steps.push(...joinNamespace(uts, CLONE.NEWUTS));

const hostname = options.get('--hostname');
if (hostname !== undefined) steps.push(sethostname(hostname));

const pid = clone(flags, [...steps, privateMounts(), ownProc(), ...program(command)]);
process.exitCode = await statusOf(pid);
