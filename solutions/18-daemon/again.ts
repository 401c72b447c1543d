// Keeps a command running, even if it is killed itself and started again.   Run: node again.ts FILE COMMAND…
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { openProcess, type ProcessIdentity, processIdentity, watchExit } from '#linux';

const [file = '', command = '', ...words] = process.argv.slice(2);

function start(): ChildProcess {
  return spawn(command, words, { detached: true, stdio: 'ignore' });
}

const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity) : undefined;
const pidfd = before && openProcess(before);
if (pidfd !== undefined) {
  console.log(before!.pid);
  await watchExit(pidfd);
  console.log('ended unknown');
} else {
  const child = start();
  writeFileSync(file, JSON.stringify(processIdentity(child.pid!)));
  console.log(child.pid);
  const [code] = await once(child, 'exit');
  console.log(`ended ${code}`);
}
