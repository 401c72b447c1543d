// Runs a command, and tells every client that asks how it ended.   Run: node wait.ts SOCKET COMMAND…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { constants } from 'node:os';

const [socket = '', command = '', ...words] = process.argv.slice(2);
const child = spawn(command, words, { stdio: 'inherit' });

// TODO: answer POST /wait. once(child, 'exit') gives [code, signal]; constants.signals has the numbers of signals.
void [child, once, constants];
const server = createServer((_, response) => {
  response.writeHead(404).end();
});
server.listen(socket);
