// Starts a command that keeps running after we end.   Run: node stay.ts LOG COMMAND…
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

const [log = '', command = '', ...words] = process.argv.slice(2);

// TODO: which session, which input, which output? And does Node wait for it?
void [log, openSync];
const child = spawn(command, words);
child.kill();
console.log(child.pid);
