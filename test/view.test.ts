// `mini-docker view` in a terminal of tmux, as a user sees it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { View } from '../mini-docker/formats/view.ts';
import { newsFrom, startServer, type Web } from './course/web-process.ts';
import { MAIN, NODE, startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

let daemon: TestDaemon;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  scratch = mkdtempSync(join(tmpdir(), 'mini-docker-view-'));
});
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await daemon.stop();
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.ask('DELETE', `/containers/${Id}?force=1`);
});

async function firstLine(answer: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of answer) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return text.split('\n', 1)[0]!;
}

test('a look shows the cable of a container, its bridge and its published ports', async () => {
  await engine.run(['sleep', '1000'], {
    name: 'cabled',
    HostConfig: {
      NetworkMode: 'bridge',
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8099' }] },
    },
  });
  const answer = await engine.open('GET', '/mini-docker/view?container=cabled');
  const { chosen, bridges, boxes } = JSON.parse(await firstLine(answer)) as View;
  expect(chosen!.published).toEqual(['127.0.0.1:8099 -> 80/tcp']);
  const eth0 = chosen!.networks[0]!.links.find(({ name }) => name === 'eth0');
  expect(eth0).toMatchObject({ kind: 'veth', up: true, addresses: [expect.stringMatching(/^172\./)] });
  const host = execFileSync('nsenter', [
    '-t',
    String(daemon.namespaces),
    '-n',
    'ip',
    '-o',
    'link',
    'show',
    eth0!.peer!.name,
  ]);
  expect(host.toString()).toContain(`master ${eth0!.peer!.bridge}`);
  expect(eth0!.peer!.bridgeAddresses.join()).toMatch(/172\..*\/16/);
  expect(bridges!.find(({ name }) => name === eth0!.peer!.bridge)?.ports).toEqual([
    { name: eth0!.peer!.name, up: true, end: { box: 'cabled', link: 'eth0' } },
  ]);
  expect(boxes[0]!.published).toEqual(chosen!.published);
});

describe('in a browser', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startServer([NODE, '--', MAIN, 'view', '--web'], { DOCKER_HOST: daemon.host });
  });
  afterAll(async () => {
    web.server.kill('SIGINT');
    expect(await web.ended).toBe(0);
  });
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, web.address), { method: 'POST', headers });

  test('the page and its files are served, and nothing without the token', async () => {
    for (const path of ['', 'style.css', 'picture.js'])
      expect((await fetch(new URL(path, web.address))).status, path).toBe(200);
    for (const path of ['/', '/picture.js', '/events', '/do/stop/x'])
      expect((await fetch(new URL(path, web.address))).status, path).toBe(403);
  });

  test('the picture shows a container, its end, and another one', async () => {
    const id = await engine.run(['sleep', '4711'], { name: 'drawn' });
    let step = 0;
    for await (const { data } of newsFrom(new URL(`events?columns=120&box=${id}`, web.address))) {
      const { picture, chosen } = data as { picture: string; chosen?: { status: string } };
      if (step === 0) {
        expect(picture).toContain('>sleep 4711<');
        expect(chosen).toEqual({ id, name: 'drawn', status: 'running' });
        await engine.ask('POST', `/containers/${id}/kill`);
        step = 1;
      } else if (step === 1 && chosen?.status === 'exited') {
        expect(picture).toContain('It is not running');
        await engine.run(['sleep', '4712'], { name: 'next' });
        await engine.ask('DELETE', `/containers/${id}`);
        step = 2;
      } else if (step === 2 && picture.includes('>sleep 4712<')) {
        expect(picture).not.toContain('drawn');
        break;
      }
    }
  });

  test('an address that names a container of yesterday shows the others', async () => {
    await engine.run(['sleep', '4711'], { name: 'today' });
    const gone = 'e'.repeat(64);
    for await (const { name, data } of newsFrom(new URL(`events?box=${gone}`, web.address))) {
      expect(name).toBe('picture');
      expect(data.picture).toContain('today');
      break;
    }
  });

  test('an action stops the container, logs are shown, and other addresses do nothing', async () => {
    const id = await engine.run(['sh', '-c', 'echo "hello \x1b[31m"; exec sleep 1000'], {
      name: 'acted',
      HostConfig: { Init: true },
    });
    await expect.poll(async () => (await post(`do/logs/${id}`)).text()).toBe('hello \\x1b[31m\n');
    for (const path of [
      `do/kill/${id}`,
      'do/stop/acted',
      `do/stop/${id}/x`,
      'do/stop/--help',
      'do/constructor/x',
    ])
      expect((await post(path)).status, path).toBe(404);
    expect((await post(`do/stop/${id}`, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await engine.inspect(id)).State.Status).toBe('running');
    expect((await post(`do/restart/${id}`)).status).toBe(200);
    expect((await engine.inspect(id)).State.Status).toBe('running');
    expect((await post(`do/stop/${id}`)).status).toBe(200);
    expect((await engine.inspect(id)).State.Status).toBe('exited');
    expect(await (await post(`do/why/${id}`)).text()).toMatch(/acted/);
    await engine.ask('DELETE', `/containers/${id}`);
    const answer = await post(`do/inspect/${id}`);
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringMatching(/No such/)]);
  });
});

test('without a terminal, or with one that cannot move the cursor, it refuses', () => {
  const ran = spawnSync(NODE, ['--', MAIN, 'view'], {
    encoding: 'utf8',
    env: { ...process.env, DOCKER_HOST: daemon.host },
  });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/not a terminal: use 'ps'/);
  expect(ran.stdout).toBe('');
});

describe.runIf(hasTmux)('in a terminal', () => {
  let servers = 0;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', `${scratch}/tmux-${servers}`, '-f', '/dev/null', ...args]).toString();
  const md = (line: string) => `${NODE} -- ${MAIN} ${line}`;
  const screen = () => tmux('capture-pane', '-p');
  const type = (...keys: string[]) => tmux('send-keys', ...keys);
  const shows = (text: string | RegExp) => expect.poll(screen, { timeout: 15_000 }).toMatch(text);
  const showsNot = (text: string) => expect.poll(screen, { timeout: 15_000 }).not.toContain(text);

  beforeEach(() => {
    servers += 1;
    const variables = [`DOCKER_HOST=${daemon.host}`, 'LANG=C.UTF-8', 'LC_ALL='];
    tmux('new-session', '-d', '-x', '80', '-y', '24', ...variables.flatMap(each => ['-e', each]), 'sh');
  });
  afterEach(() => {
    tmux('kill-server');
  });

  const settings = (name: string) => readFileSync(`${scratch}/${name}`, 'utf8');
  const save = (name: string) => `stty -a >${scratch}/${name}`;

  test('sees a container come and go, moves, acts, and leaves the terminal as it was', async () => {
    await engine.run(['sleep', '1000'], { name: 'first' });
    type(`${save('before')}; ${md('view')}; ${save('after')}; echo code=$?`, 'Enter');
    await shows(/1 all 2.*\n▸ first .*│ {3}first {2}busybox/);
    await shows(/sleep 1000/);
    const second = await engine.run(['sleep', '2000'], { name: 'second' });
    await shows(/ {2}second/);
    type('Up');
    await shows(/▸ second/);
    type('2');
    await shows(/1 +\d+ +0 .*sleep 2000/);
    type('i');
    await shows(/"Id": "/);
    type('Escape');
    await shows(/INSIDE/);
    type('e');
    await shows(/^\/ #/m);
    await shows(/^shell second; exit to return/m);
    type('exit', 'Enter');
    await shows(/▸ second/);
    type('s');
    await shows('stop second? y');
    type('n');
    await engine.ask('DELETE', `/containers/${second}?force=1`);
    await showsNot('second');
    await shows(/▸ first/);
    type('q');
    await shows('code=0');
    expect(screen()).not.toContain('CONTAINER');
    expect(settings('after')).toBe(settings('before'));
  });

  test('an action that fails says why until a key is pressed, and a question ends with its container', async () => {
    await engine.run(['sleep', '1000'], { name: 'other' });
    const id = await engine.run(['sleep', '1000'], { name: 'ending' });
    type(md('view ending'), 'Enter');
    await shows(/▸ ending/);
    await engine.ask('POST', `/containers/${id}/kill`);
    await shows(/▸ ending +exited/);
    type('e');
    await shows(/is not running.*press any key to return/s);
    type('x');
    await shows(/▸ ending/);
    type('s');
    await shows('stop ending? y');
    await engine.ask('DELETE', `/containers/${id}`);
    await shows(/▸ other/);
    type('y');
    type('2');
    await shows(/sleep 1000/);
    expect(screen()).not.toContain('stop other');
    expect((await engine.inspect('other')).State.Status).toBe('running');
    type('q');
  });

  test.each(['C-c', 'TERM'])('gives the terminal back at %s', async how => {
    type(
      `${save('before')}; sh -c 'echo $$ >${scratch}/pid; exec ${md('view')}'; code=$?; ${save('after')}; echo code=$code`,
      'Enter',
    );
    await shows('none');
    if (how === 'TERM') process.kill(Number(settings('pid')), 'SIGTERM');
    else type(how);
    await shows(how === 'TERM' ? 'code=143' : 'code=0');
    expect(screen()).not.toContain('CONTAINER');
    expect(settings('after')).toBe(settings('before'));
  });

  test('gives the terminal back when the daemon dies, and says so', async () => {
    type(`${save('before')}; ${md('view')}; code=$?; ${save('after')}; echo code=$code`, 'Enter');
    await shows('none');
    await daemon.end('SIGKILL');
    await shows(/mini-docker: .*connection|daemon/);
    await shows('code=1');
    expect(settings('after')).toBe(settings('before'));
    await daemon.begin();
  });

  test('works in ASCII and without colour, and refuses a dumb terminal', async () => {
    await engine.run(['sleep', '1000'], { name: 'plain' });
    type(`LC_ALL=C NO_COLOR=1 ${md('view')}`, 'Enter');
    await shows(/^> plain .*\| {3}plain {2}busybox/m);
    expect(screen()).toMatch(/^[\x00-\x7f]*$/);
    type('q');
    await shows(/^#$/m);
    type(`TERM=dumb ${md('view')}; echo code=$?`, 'Enter');
    await shows(/TERM=dumb/);
    await shows('code=1');
  });
});
