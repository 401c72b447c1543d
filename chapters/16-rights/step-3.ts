// Gives up all capabilities. Until the next execve.   Run: node chapters/16-rights/step-3.ts COMMAND…
import { capset, clone } from '#linux';
import { program, statusOf } from '../01-process/program.ts';
import { VERSION_3 } from './capabilities.ts';

const none = Buffer.alloc(24);
const pid = clone(0, [capset(VERSION_3, none), ...program(process.argv.slice(2))]);
process.exitCode = await statusOf(pid);
