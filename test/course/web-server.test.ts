// `learn web`: which requests it answers, and what the pages are told while the learner works.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { learn } from './learn-command.ts';
import { newsFrom, startWeb, type Web } from './web-process.ts';

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

const news = () => newsFrom(new URL('events', address));

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

test('a page sees the sandbox that the learner opens, and that it has ended', async () => {
  const argv = ['shell', 'sh', '-c', 'unshare --uts sleep 4711 & read line'];
  const shell = spawn(join(repository, 'bin/learn'), argv, {
    env: { ...process.env, LEARN_WORK: work },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const isOpen = (boxes: unknown) => (boxes as { said: string }[]).some(({ said }) => said.includes('4711'));
  let opened = false;
  try {
    for await (const { data } of newsFrom(new URL('sandbox-picture?columns=100', address))) {
      if (!('picture' in data)) throw new Error(JSON.stringify(data));
      const { picture, boxes } = data as { picture: string; boxes: unknown };
      if (opened && !isOpen(boxes)) break;
      if (opened || !picture.includes('>sleep 4711<')) continue;
      expect(picture).toMatch(/one more, hostname/);
      opened = true;
      shell.stdin.end();
    }
  } finally {
    // A second attempt must not see the shell of the first.
    shell.stdin.end();
  }
  expect(opened).toBe(true);
});

test('Ctrl-C ends it, and a port in use is reported', async () => {
  const { status, stderr } = learn(work, 'web', '--port', address.port);
  expect([status, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  const other = await startWeb(work);
  other.server.kill('SIGINT');
  expect(await other.ended).toBe(0);
});
