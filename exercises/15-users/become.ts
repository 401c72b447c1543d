// Runs a command under another number.   Run: node become.ts UID GID COMMAND…
import { writeFileSync, writeSync } from 'node:fs';
import { CLONE, clone, close, pipe, read } from '#linux';
import { program, statusOf } from '../../chapters/01-process/program.ts';

const [uid = '', gid = '', ...command] = process.argv.slice(2);

const mapped = pipe();
const pid = clone(CLONE.NEWUSER, [
  close(mapped.writeEnd),
  read(mapped.readEnd, Buffer.alloc(1)),
  ...program(command),
]);
// TODO: which ids does it have?
void [uid, gid, writeFileSync];
writeSync(mapped.writeEnd, '!');
process.exitCode = await statusOf(pid);
