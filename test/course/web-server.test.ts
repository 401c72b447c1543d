// `learn web`: which requests it answers, and what the pages are told while the learner works.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { learn } from './learn-command.ts';
import { startWeb, type Web } from './web-process.ts';

let work: string;
let web: Web;
let address: URL;

beforeAll(async () => {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  work = mkdtempSync(join(repository, '.cache/work-'));
  web = await startWeb(work);
  ({ address } = web);
});
afterAll(async () => {
  web.server.kill('SIGINT');
  await web.ended;
  rmSync(work, { recursive: true });
});

/** Sends the path as it is, which fetch() would not. */
async function ask(path: string, { method = 'GET', headers = {} } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  request({ host: address.hostname, port: address.port, path, method, headers }, resolve)
    .once('error', reject)
    .end();
  const answer = await promise;
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

const page = (path: string): string => address.pathname + path;

test('the first page comes with a policy that forbids all but the own files', async () => {
  const { status, headers, body } = await ask(page(''));
  expect(status).toBe(200);
  expect(body).toContain('<h1>From one system call to a working Docker</h1>');
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' });
});

test('without the token, nothing is shown and nothing is done', async () => {
  const wrong = `/${'0'.repeat(address.pathname.length - 2)}/`;
  for (const path of [
    '/',
    '/index.html',
    '/events',
    '//events',
    wrong,
    `${wrong}events`,
    address.pathname.slice(0, -2),
  ])
    expect(await ask(path), path).toMatchObject({ status: 403 });
  expect((await ask(`${wrong}check/02-pid-namespace`, { method: 'POST' })).status).toBe(403);
});

test('under another name, or asked by another site, it refuses', async () => {
  for (const host of ['evil.example', `evil.example:${address.port}`, '127.0.0.1'])
    expect((await ask(page(''), { headers: { host } })).status, host).toBe(403);
  const origin = 'http://evil.example';
  expect((await ask(page('check/00-machine'), { method: 'POST', headers: { origin } })).status).toBe(403);
});

test('no path leads out of the site', async () => {
  const paths = [
    '../../etc/passwd',
    'source/../../../etc/passwd.html',
    'source/learn/../../../../etc/passwd.html',
    'source/%2e%2e/package.json.html',
    'source//etc/passwd.html',
    'source/work/.learn.json.html',
    'source/.git/config.html',
    'assets/page.js',
    'constructor',
  ];
  for (const path of paths) expect((await ask(page(path))).status, path).toBe(404);
});

test('only a check may be asked for with POST, and only so', async () => {
  expect((await ask(page(''), { method: 'POST' })).status).toBe(405);
  expect((await ask(page('index.html'), { method: 'DELETE' })).status).toBe(405);
  expect((await ask(page('check/00-machine'))).status).toBe(405);
  expect((await ask(page('check/../work'), { method: 'POST' })).status).toBe(404);
  expect((await ask(page('check/00-machine'), { method: 'POST' })).status).toBe(404);
});

test('it listens on loopback only', async () => {
  const other = connect({ host: '127.0.0.2', port: Number(address.port) });
  const outcome = await new Promise(resolve => other.once('connect', resolve).once('error', resolve));
  expect(outcome).toMatchObject({ code: 'ECONNREFUSED' });
});

/** What the page's script would hear. */
async function* news(): AsyncGenerator<{ name: string; data: Record<string, unknown> }> {
  const response = await fetch(new URL('events', address));
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      yield { name: name!, data: JSON.parse(data!) };
    }
  }
}

test('a page hears when a task passes, because a file changed, and of progress made elsewhere', async () => {
  learn(work, 'start', '0');
  const results: unknown[] = [];
  let heard = false;
  for await (const { name, data } of news()) {
    if (!heard) {
      heard = true;
      expect(name).toBe('progress');
      expect(data).toMatchObject({
        passed: [],
        reached: 0,
        chapters: { '00-machine': { started: true, of: 5 } },
      });
      cpSync(join(repository, 'solutions/00-machine'), join(work, '00-machine'), { recursive: true });
    }
    if (name === 'result') results.push([data.key, data.outcome]);
    if (name === 'progress' && data.reached === 5) break;
  }
  expect(results).toContainEqual(['00-machine/same', 'passed']);
  expect(results).toContainEqual(['00-machine/strangers', 'passed']);

  const progress = { passed: { '00-machine/same': '2026-01-01T00:00:00Z' }, hints: {} };
  for await (const { name, data } of news()) {
    if (name === 'progress' && data.reached === 5)
      writeFileSync(join(work, '.learn.json'), JSON.stringify(progress));
    if (name === 'progress' && data.reached === 2) break;
  }
});

test('a page hears what was promised and what was seen, when it asks for a check', async () => {
  cpSync(join(repository, 'exercises/00-machine/same.ts'), join(work, '00-machine/same.ts'));
  for await (const { name, data } of news()) {
    if (name === 'progress')
      expect((await ask(page('check/00-machine'), { method: 'POST' })).status).toBe(202);
    if (name === 'result' && data.outcome === 'failed') {
      expect(data).toMatchObject({ key: '00-machine/same', broken: { promised: expect.any(String) } });
      break;
    }
  }
});

test('Ctrl-C ends it, and a port in use is reported', async () => {
  const { status, stderr } = learn(work, 'web', '--port', address.port);
  expect([status, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  const other = await startWeb(work);
  other.server.kill('SIGINT');
  expect(await other.ended).toBe(0);
});
