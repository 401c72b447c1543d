// Starts a command that stays when we have gone.   Run: node stay.ts LOG COMMAND…
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

const [log = '', command = '', ...words] = process.argv.slice(2);

// TODO: whose session, whose input, whose output? And who waits for it?
void [log, openSync];
const child = spawn(command, words);
child.kill();
console.log(child.pid);
