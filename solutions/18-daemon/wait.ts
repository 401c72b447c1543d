// Runs a command, and tells every client that asks how it ended.   Run: node wait.ts SOCKET COMMAND…
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { constants } from 'node:os';

const [socket = '', command = '', ...words] = process.argv.slice(2);
const child = spawn(command, words, { stdio: 'inherit' });

const ended = once(child, 'exit').then(
  ([code, signal]) => code ?? 128 + constants.signals[signal as NodeJS.Signals],
);
const server = createServer(async (request, response) => {
  if (request.method !== 'POST' || request.url !== '/wait') return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
  response.end(JSON.stringify({ StatusCode: await ended }));
});
server.listen(socket);
