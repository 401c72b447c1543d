import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type Site, serveLocally } from './server.ts';

const done: string[] = [];
let listeners = 0;
const site: Site = {
  command: 'mini-docker view --web',
  page: path => (path === 'index.html' ? '<h1>Hello</h1>' : undefined),
  actions: 'do/',
  act(path) {
    if (path !== 'stop') return undefined;
    done.push(path);
    return { status: 200, text: 'stopped' };
  },
  streams: {
    events(tell) {
      listeners++;
      tell('news', { text: 'first' });
      return () => {
        listeners--;
      };
    },
  },
};

interface Asked {
  method?: string;
  headers?: Record<string, string>;
}

/** Sends the path as it is, which fetch() would not. */
async function ask(where: object, path: string, { method = 'GET', headers = {} }: Asked = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  request({ ...where, path, method, headers }, resolve)
    .once('error', reject)
    .end();
  const answer = await promise;
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

test('a request without the token, under another name or from another site is refused, and does nothing', async () => {
  await using server = await serveLocally(site, { port: 0 });
  const { hostname: host, port, pathname } = new URL(server.address);
  const from = (path: string, asked?: Asked) => ask({ host, port }, path, asked);
  expect(await from(pathname)).toMatchObject({ status: 200, body: '<h1>Hello</h1>' });
  const wrong = `/${'0'.repeat(pathname.length - 2)}/`;
  for (const method of ['GET', 'POST'])
    for (const path of [
      '/',
      '/do/stop',
      '//do/stop',
      `${wrong}do/stop`,
      pathname.slice(0, -2),
      '*',
      '/%00/do/stop',
    ])
      expect((await from(path, { method })).status, `${method} ${path}`).toBe(403);
  const refused: Record<string, string>[] = [
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: `127.0.0.1:${port}.evil.example` },
    { host: '127.0.0.1' },
    { host: `127.0.0.1:1${port}` },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `https://127.0.0.1:${port}` },
    { origin: `http://localhost:${port}` },
  ];
  for (const headers of refused)
    expect(
      (await from(`${pathname}do/stop`, { method: 'POST', headers })).status,
      JSON.stringify(headers),
    ).toBe(403);
  expect(await from(`${pathname}do/stop`)).toMatchObject({ status: 405 });
  expect(done).toEqual([]);
  const origin = `http://127.0.0.1:${port}`;
  expect(await from(`${pathname}do/stop`, { method: 'POST', headers: { origin } })).toMatchObject({
    status: 200,
  });
  expect(done).toEqual(['stop']);
});

test('every answer forbids scripts and styles of others, frames and guesses about its type', async () => {
  await using server = await serveLocally(site, { port: 0 });
  const { hostname: host, port, pathname } = new URL(server.address);
  for (const path of [pathname, '/', `${pathname}nowhere`]) {
    const { headers } = await ask({ host, port }, path);
    expect(headers['content-security-policy'], path).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' });
  }
});

test('it listens on loopback only', async () => {
  await using server = await serveLocally(site, { port: 0 });
  const other = connect({ host: '127.0.0.2', port: Number(new URL(server.address).port) });
  const outcome = await new Promise(resolve => other.once('connect', resolve).once('error', resolve));
  expect(outcome).toMatchObject({ code: 'ECONNREFUSED' });
});

test('a unix socket is for its user alone, answers under any port of a tunnel, and is removed in the end', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mini-docker-web-'));
  const socketPath = join(directory, 'page');
  try {
    {
      await using server = await serveLocally(site, { socket: socketPath });
      expect(statSync(socketPath).mode & 0o777).toBe(0o600);
      expect(server.invitation).toContain(`http://localhost:8080${server.address}`);
      await expect(serveLocally(site, { socket: socketPath })).rejects.toThrow('exists: remove it');
      const headers = { host: 'localhost:8080' };
      expect(await ask({ socketPath }, server.address, { headers })).toMatchObject({ status: 200 });
      expect(await ask({ socketPath }, '/', { headers })).toMatchObject({ status: 403 });
      expect(await ask({ socketPath }, server.address, { headers: { host: 'evil.example' } })).toMatchObject({
        status: 403,
      });
    }
    expect(existsSync(socketPath)).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a stream ends when its page is closed, and more pages than can be served are told so', async () => {
  await using server = await serveLocally(site, { port: 0 });
  const pages = await Promise.all(Array.from({ length: 30 }, () => fetch(new URL('events', server.address))));
  expect(listeners).toBe(30);
  expect((await fetch(new URL('events', server.address))).status).toBe(503);
  for (const { body } of pages) await body!.cancel();
  await expect.poll(() => listeners).toBe(0);
});
