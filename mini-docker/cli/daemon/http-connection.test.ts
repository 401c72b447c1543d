import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ConnectionError, openConnection } from './http-connection.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A daemon that answers every connection in its own way. */
async function daemon(answer: (socket: Socket, request: string) => void): Promise<string> {
  const directory = mkdtempSync('/tmp/mini-docker-http-');
  const path = `${directory}/socket`;
  const server = createServer({ allowHalfOpen: true }, socket => {
    let request = '';
    socket.on('error', () => {});
    socket.on('data', chunk => {
      request += chunk.toString('latin1');
      answer(socket, request);
    });
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  cleanups.push(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

async function get(path: string, method = 'GET') {
  const connection = await openConnection({ path });
  cleanups.push(() => connection.socket.destroy());
  const response = await connection.request({ method, path: '/x' });
  let body = '';
  for await (const chunk of response.body) body += chunk.toString();
  return { connection, status: response.status, headers: response.headers, body };
}

const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Two: a\r\nX-Two: b\r\n\r\n5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nTrailer: x\r\n\r\n';

test('an answer in chunks is the same however the network cuts it', async () => {
  for (let size = 1; size <= chunked.length; size += 7) {
    const path = await daemon(async socket => {
      for (let at = 0; at < chunked.length; at += size) {
        socket.write(chunked.slice(at, at + size));
        if (size < 30) await new Promise(resolve => setImmediate(resolve));
      }
    });
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 200, body: 'hello, world', headers: { 'x-two': 'a, b' } });
    expect(answer.connection.reusable).toBe(true);
  }
});

test('a connection serves several requests, and interim answers are skipped', async () => {
  let count = 0;
  const path = await daemon(socket => {
    count += 1;
    socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${count}`);
  });
  const { connection, body } = await get(path);
  expect(body).toBe('1');
  const second = await connection.request({ method: 'POST', path: '/y', body: Buffer.from('{}') });
  let again = '';
  for await (const chunk of second.body) again += chunk.toString();
  expect(again).toBe('2');
});

test('an answer without a length ends with the connection', async () => {
  const path = await daemon(socket => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
  expect(await get(path)).toMatchObject({ body: 'all of it', connection: { reusable: false } });
});

test('answers without a body leave the connection for the next request', async () => {
  const path = await daemon(socket => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  expect(await get(path)).toMatchObject({ status: 204, body: '' });
  const head = await daemon(socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'));
  expect(await get(head, 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('an upgraded connection is a stream in both directions, whose input can end first', async () => {
  const path = await daemon((socket, request) => {
    if (request.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\nfirst');
    if (request.endsWith('typed')) socket.on('end', () => socket.end('after end: typed'));
  });
  const connection = await openConnection({ path });
  cleanups.push(() => connection.socket.destroy());
  expect((await connection.request({ method: 'POST', path: '/attach' })).status).toBe(101);
  expect((await connection.read())?.toString()).toBe('first');
  connection.socket.end('typed');
  expect((await connection.read())?.toString()).toBe('after end: typed');
  expect(await connection.read()).toBeUndefined();
});

test('a body of unknown length is sent in chunks', async () => {
  const path = await daemon((socket, request) => {
    if (request.endsWith('0\r\n\r\n'))
      socket.end(`HTTP/1.1 200 OK\r\n\r\n${request.split('\r\n\r\n').slice(1).join('|')}`);
  });
  async function* parts() {
    yield Buffer.from('abc');
    yield Buffer.from('');
    yield Buffer.from('de');
  }
  const connection = await openConnection({ path });
  const { body } = await connection.request({ method: 'PUT', path: '/archive', body: parts() });
  let text = '';
  for await (const chunk of body) text += chunk.toString();
  expect(text).toBe('3\r\nabc\r\n2\r\nde\r\n0|');
});

test.each([
  ['', 'the daemon closed the connection without an answer'],
  ['SSH-2.0-OpenSSH\r\n\r\n', 'the server there does not speak HTTP'],
  [
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    'the connection with the daemon ended in the middle of an answer',
  ],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'the daemon sent a malformed answer'],
])('%j is an error that says what happened', async (answer, message) => {
  const path = await daemon(socket => socket.end(answer));
  await expect(get(path)).rejects.toThrow(new ConnectionError(message));
});
