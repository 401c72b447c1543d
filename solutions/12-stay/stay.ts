// Starts a command that keeps running after we end.   Run: node stay.ts LOG COMMAND…
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

const [log = '', command = '', ...words] = process.argv.slice(2);

const output = openSync(log, 'a');
const child = spawn(command, words, { detached: true, stdio: ['ignore', output, output] });
child.unref();
console.log(child.pid);
