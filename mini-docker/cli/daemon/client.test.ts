import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DaemonClient } from './client.ts';

/** A daemon that knows the API up to 1.41, and the requests that it got. */
async function olderDaemon() {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-client-'));
  const path = join(directory, 'sock');
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('Api-Version', '1.41');
    request.resume();
    request.on('end', () => {
      if (!request.url!.startsWith('/v1.47/')) response.end('{}');
      else response.writeHead(400).end('{"message":"client version 1.47 is too new"}');
    });
  });
  server.on('connection', () => connections++);
  await new Promise<void>(done => server.listen(path, done));
  const client = new DaemonClient({ host: `unix://${path}`, daemonCommand: [], environment: {} });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise(done => server.close(done));
    rmSync(directory, { recursive: true });
  };
  return { asked, connections: () => connections, client, [Symbol.asyncDispose]: close };
}

test('a request that an older daemon refuses is sent again in its version, as are all that follow', async () => {
  await using daemon = await olderDaemon();
  await daemon.client.json('POST', '/containers/create', { json: { Image: 'busybox' } });
  await daemon.client.json('GET', '/info');
  expect(daemon.asked).toEqual([
    'POST /v1.47/containers/create',
    'POST /v1.41/containers/create',
    'GET /v1.41/info',
  ]);
});

test('before a body that can be sent only once the version is asked for', async () => {
  await using daemon = await olderDaemon();
  async function* body() {
    yield Buffer.from('context');
  }
  await daemon.client.text('POST', '/build', { body: body() });
  expect(daemon.asked).toEqual(['GET /_ping', 'POST /v1.41/build']);
});

test('connections that were opened ahead are used, and none is needed', async () => {
  await using daemon = await olderDaemon();
  await daemon.client.openAhead(2);
  await Promise.all(['/info', '/version'].map(path => daemon.client.json('GET', path)));
  expect(daemon.connections()).toBe(2);
  const nowhere = new DaemonClient({ host: 'unix:///nowhere/sock', daemonCommand: [], environment: {} });
  await nowhere.openAhead(2);
  await expect(nowhere.json('GET', '/info')).rejects.toThrow('Cannot connect to the Docker daemon');
});
