// Keeps a command running, even if it is killed itself and started again.   Run: node again.ts FILE COMMAND…
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { openProcess, type ProcessIdentity, processIdentity, watchExit } from '#linux';

const [file = '', command = '', ...words] = process.argv.slice(2);

function start(): ChildProcess {
  return spawn(command, words, { detached: true, stdio: 'ignore' });
}

// TODO: is there one that still runs? Then wait for that.
void [file, existsSync, readFileSync, openProcess, watchExit];
const child = start();
console.log(child.pid);
// TODO: what must be remembered, and when?
void [writeFileSync, processIdentity, {} as ProcessIdentity];
const [code] = await once(child, 'exit');
console.log(`ended ${code}`);
