// `mini-docker view` in a terminal of tmux, as a user sees it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { View } from '../mini-docker/formats/view.ts';
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

/** The first look that is as wanted. */
async function look(query: string, isWanted: (view: View) => boolean = () => true): Promise<View> {
  const answer = await engine.open('GET', `/mini-docker/view?interval=200${query}`);
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0) continue;
    const view = JSON.parse(text.slice(0, end)) as View;
    text = text.slice(end + 1);
    if (isWanted(view)) return view;
  }
  throw new Error('the looks ended');
}

test('a look has what the kernel says of the chosen container', async () => {
  const id = await engine.run(['sh', '-c', 'echo hello; sleep 1000 & nc -l -p 81'], {
    name: 'deep',
    HostConfig: { NetworkMode: 'bridge', Memory: 64 << 20, NanoCpus: 500_000_000, PidsLimit: 20 },
  });
  const other = await engine.run(['sleep', '1000'], {
    name: 'beside',
    HostConfig: { NetworkMode: `container:${id}` },
  });
  const { chosen, boxes, host } = await look(
    '&container=deep',
    ({ chosen }) => chosen?.networks[0]?.listening.length === 1 && chosen.log?.length === 1,
  );
  const { Pid: pid } = (await engine.inspect(id)).State;
  const inode = (type: string) =>
    Number(/\d+/.exec(execFileSync('readlink', [`/proc/${pid}/ns/${type}`]).toString())?.[0]);
  expect(boxes.map(each => each.name).sort()).toEqual(['beside', 'deep']);
  expect(chosen).toMatchObject({
    id,
    pid,
    more: 0,
    log: ['hello'],
    networks: [{ listening: [{ protocol: 'tcp', port: 81 }] }],
    rights: { uid: 0, seccomp: 'filter' },
  });
  // The shell has become its last command.
  expect(chosen!.processes.map(({ command }) => command)).toEqual(['nc -l -p 81', 'sleep 1000']);
  expect(chosen!.processes[0]).toMatchObject({ pid, inside: 1 });
  for (const { type, inode: found } of chosen!.namespaces) expect(found, type).toBe(inode(type));
  const whose = Object.fromEntries(chosen!.namespaces.map(each => [each.type, each]));
  expect(whose.net!.others).toEqual(['beside']);
  expect(whose.uts!.hostname).toBe(id.slice(0, 12));
  expect(whose.pid!.others).toEqual([]);
  expect(whose.user!.inode).toBe(whose.user!.hosts);
  const mounted = chosen!.mounts[0]!.mounts.find(({ point }) => point === '/');
  expect(mounted).toMatchObject({ type: 'overlay', readonly: false });
  expect(mounted!.layers!.length).toBeGreaterThan(1);
  const [group] = chosen!.groups;
  expect(group).toMatchObject({
    cpu: { limit: 0.5 },
    memory: { limit: 64 << 20 },
    tasks: { limit: 20, used: 2 },
  });
  expect(group!.memory.used).toBeGreaterThan(0);
  const eth0 = chosen!.networks[0]!.links.find(({ name }) => name === 'eth0');
  expect(eth0).toMatchObject({ kind: 'veth', up: true, addresses: [expect.stringMatching(/^172\./)] });
  expect(eth0!.peer?.bridgeAddresses.length).toBeGreaterThan(0);
  expect(host.rights.capabilities.length).toBeGreaterThan(chosen!.rights.capabilities.length);
  expect(other).not.toBe(id);
});

test('an unknown container is an error, and a stopped one has nothing in depth', async () => {
  expect(await engine.ask('GET', '/mini-docker/view?container=nobody')).toMatchObject({ status: 404 });
  const id = await engine.create(['true'], { name: 'still' });
  const view = await look('&container=still');
  expect(view).toMatchObject({ wanted: id, boxes: [{ name: 'still', status: 'created' }] });
  expect(view.chosen).toBeUndefined();
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

  test.each(['C-c', 'TERM'])('gives the terminal back at %s', async how => {
    type(
      `${save('before')}; sh -c 'echo $$ >${scratch}/pid; exec ${md('view')}'; echo code=$?; ${save('after')}; echo saved`,
      'Enter',
    );
    await shows('none');
    if (how === 'TERM') process.kill(Number(settings('pid')), 'SIGTERM');
    else type(how);
    await shows('saved');
    await shows(how === 'TERM' ? 'code=143' : 'code=0');
    expect(screen()).not.toContain('CONTAINER');
    expect(settings('after')).toBe(settings('before'));
  });

  test('gives the terminal back when the daemon dies, and says so', async () => {
    type(`${save('before')}; ${md('view')}; echo code=$?; ${save('after')}; echo saved`, 'Enter');
    await shows('none');
    await daemon.end('SIGKILL');
    await shows('saved');
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
