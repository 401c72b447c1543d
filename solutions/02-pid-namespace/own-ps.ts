// Runs a command in a box in which ps tells the truth.   Run: node own-ps.ts COMMAND…
import { CLONE, clone, type Item, MS, mount } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const command = process.argv.slice(2);

const steps: Item[] = [
  mount({ target: '/', flags: MS.REC | MS.PRIVATE }),
  mount({ source: 'proc', target: '/proc', type: 'proc' }),
];

const pid = clone(CLONE.NEWPID | CLONE.NEWNS, [...steps, ...program(command)]);
process.exitCode = await statusOf(pid);
