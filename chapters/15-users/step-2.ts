import { writeSync } from 'node:fs';
import { because, CLONE, clone, close, pipe, read } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { mapIds } from './ids.ts';

const mapped = pipe();
const pid = clone(CLONE.NEWUSER, [
  close(mapped.writeEnd),
  because('the ids are mapped from outside', read(mapped.readEnd, Buffer.alloc(1))),
  ...program(process.argv.slice(2)),
]);
mapIds(pid);
writeSync(mapped.writeEnd, '!');
process.exitCode = await statusOf(pid);
