// What a container writes and reads: logs, attach, exec, and clients that are slow or gone.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, eventually, unframed } from './support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterEach(async () => {
  for (const { Id } of await engine.json<{ Id: string }[]>('GET', '/containers/json?all=1')) {
    await engine.ask('DELETE', `/containers/${Id}?force=1&v=1`);
  }
});
afterAll(() => daemon.stop());

const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));
const shell = (script: string) => ['sh', '-c', script];
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}\n`).join('');

test('logs are given whole, by their ends, by stream and by time', async () => {
  const id = await engine.run(
    shell('for i in 0 1 2 3 4 5 6 7 8 9; do echo $i; done; echo error >&2; sleep 0.2; echo late'),
  );
  expect(await engine.wait(id)).toBe(0);
  expect(await engine.logs(id, 'stdout=1')).toBe(`${range(0, 10)}late\n`);
  expect(await engine.logs(id, 'stderr=1')).toBe('error\n');
  expect(await engine.logs(id, 'stdout=1&tail=3&stderr=1')).toBe('9\nerror\nlate\n');
  expect(await engine.logs(id, 'stdout=1&tail=0')).toBe('');
  const stamped = await engine.logs(id, 'stdout=1&timestamps=1');
  expect(stamped).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z .+\n){11}$/);
  const times = stamped
    .split('\n')
    .slice(0, -1)
    .map(line => line.split(' ')[0]!);
  expect([...times].sort()).toEqual(times);
  const late = Date.parse(times.at(-1)!) / 1000 - 0.1;
  expect(await engine.logs(id, `stdout=1&since=${late}`)).toBe('late\n');
  expect(await engine.logs(id, `stdout=1&until=${late}`)).toBe(range(0, 10));
});

test("the log file is docker's json-file, with its owner's eyes only", async () => {
  const id = await engine.run(shell('echo "a \\"b\\""; printf end'));
  await engine.wait(id);
  const { LogPath } = await engine.inspect(id);
  const lines = readFileSync(LogPath, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(lines.map(({ log, stream }) => [log, stream])).toEqual([
    ['a "b"\n', 'stdout'],
    ['end', 'stdout'],
  ]);
  expect(statSync(LogPath).mode & 0o007).toBe(0);
});

test('a line of a megabyte comes back as it was, and is cut in the file as docker cuts it', async () => {
  const id = await engine.run(shell('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo short'));
  await engine.wait(id);
  expect(await engine.logs(id)).toBe(`${'x'.repeat(1_000_000)}\nshort\n`);
  const { LogPath } = await engine.inspect(id);
  const pieces = readFileSync(LogPath, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line).log.length);
  expect(pieces.slice(0, 3)).toEqual([16_384, 16_384, 16_384]);
});

test('following ends with the container, and a rotation in between is not seen', async () => {
  const id = await engine.run(
    shell('i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); [ $((i % 100)) = 0 ] && usleep 5000; done'),
    {
      HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '100k', 'max-file': '5' } } },
    },
  );
  expect(await engine.logs(id, 'stdout=1&follow=1')).toBe(range(0, 2000));
  expect(await engine.logs(id, 'stdout=1')).toBe(range(0, 2000));
  const { LogPath } = await engine.inspect(id);
  expect(statSync(LogPath).size).toBeLessThanOrEqual(102_400);
  expect(existsSync(`${LogPath}.1`)).toBe(true);
});

test('a log is limited unless its container wants otherwise, and the driver local can be read', async () => {
  const line = 'x'.repeat(16_000);
  const id = await engine.run(shell(`yes ${line} | head -n 1600; echo end`), {
    HostConfig: { LogConfig: { Type: 'local', Config: {} } },
  });
  expect(await engine.wait(id)).toBe(0);
  expect((await engine.inspect(id)).LogPath).toBe('');
  expect(await engine.logs(id, 'stdout=1&tail=1')).toBe('end\n');
  const files = readdirSync(join(daemon.dataRoot, 'containers', id)).filter(name =>
    name.includes('-json.log'),
  );
  expect(files).toEqual([`${id}-json.log`, `${id}-json.log.1`]);
});

test('a container without a log says so, and runs', async () => {
  const id = await engine.run(shell('echo lost'), { HostConfig: { LogConfig: { Type: 'none' } } });
  expect(await engine.wait(id)).toBe(0);
  const { status, body } = await engine.ask('GET', `/containers/${id}/logs?stdout=1`);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(body.toString()).toContain('configured logging driver does not support reading');
});

test('clients that do not read delay no one else, and get everything once they read', async () => {
  const id = await engine.create(shell('head -c 20000000 /dev/zero | tr "\\0" x; echo end'));
  const slow = await engine.hijack(`/containers/${id}/attach?stream=1&stdout=1`);
  const gone = await engine.hijack(`/containers/${id}/attach?stream=1&stdout=1`);
  slow.pause();
  gone.destroy();
  await engine.json('POST', `/containers/${id}/start`);
  const follower = await engine.open('GET', `/containers/${id}/logs?stdout=1&follow=1`);
  follower.pause();
  expect(await engine.wait(id)).toBe(0);
  const got = unframed(Buffer.concat(await slow.toArray()));
  expect(got.length).toBe(20_000_004);
  expect(got.endsWith('xend\n')).toBe(true);
  expect(unframed(Buffer.concat(await follower.toArray())).length).toBe(20_000_004);
});

test('several clients are attached at once: all hear, each may type', async () => {
  const id = await engine.run(shell('while read line; do echo got $line; done'), { OpenStdin: true });
  const [one, two] = await Promise.all(
    ['stdin=1&', ''].map(query => engine.hijack(`/containers/${id}/attach?${query}stream=1&stdout=1`)),
  );
  const heard = [one!, two!].map(socket => {
    const pieces: Buffer[] = [];
    socket.on('data', piece => pieces.push(piece));
    return () => unframed(Buffer.concat(pieces));
  });
  one!.write('hello\n');
  await eventually(
    async () => heard.map(each => each()),
    texts => texts.every(text => text === 'got hello\n'),
  );
  const three = await engine.hijack(`/containers/${id}/attach?stdin=1&stream=1&stdout=1&logs=1`);
  three.write('again\n');
  await eventually(
    async () => heard[0]!(),
    text => text === 'got hello\ngot again\n',
  );
  expect(unframed(Buffer.concat([await once(three)]))).toContain('got hello\n');
  for (const socket of [one!, two!, three]) socket.destroy();
  expect((await engine.inspect(id)).State.Status).toBe('running');
});

test('input is given before the start, and its end reaches the program', async () => {
  const id = await engine.create(['cat'], { OpenStdin: true, StdinOnce: true });
  const socket = await engine.hijack(`/containers/${id}/attach?stdin=1&stream=1&stdout=1`);
  socket.end('typed early\n');
  const out = socket.toArray();
  await sleep(50);
  await engine.json('POST', `/containers/${id}/start`);
  expect(unframed(Buffer.concat(await out))).toBe('typed early\n');
  expect(await engine.wait(id)).toBe(0);
});

test('an exec has its own streams and exit code, and processes that it leaves behind delay nothing', async () => {
  const id = await engine.run(['sleep', '1000']);
  const exec = async (Cmd: string[], more = {}) => {
    const body = { Cmd, AttachStdout: true, AttachStderr: true, ...more };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    const socket = await engine.hijack(`/exec/${Id}/start`, { Detach: false });
    const text = unframed(Buffer.concat(await socket.toArray()));
    return {
      text,
      ...(await engine.json<{ ExitCode: number; Running: boolean }>('GET', `/exec/${Id}/json`)),
    };
  };
  expect(await exec(shell('echo out; echo err >&2; exit 9'))).toMatchObject({ ExitCode: 9, Running: false });
  expect(
    (await exec(shell('id -u; pwd; echo $MINE $HOME'), { User: '33', WorkingDir: '/tmp', Env: ['MINE=1'] }))
      .text,
  ).toBe('33\n/tmp\n1 /var/www\n');
  const begin = Date.now();
  expect((await exec(shell('sleep 1000 & echo left'))).text).toBe('left\n');
  expect(Date.now() - begin).toBeLessThan(5000);
  const { Pid } = (await engine.inspect(id)).State;
  const cgroup = (pid: number | string) => readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const { Processes } = await engine.json<{ Processes: string[][] }>(
    'GET',
    `/containers/${id}/top?ps_args=-o%20pid`,
  );
  expect(Processes).toHaveLength(2);
  expect(new Set(Processes.map(([pid]) => cgroup(pid!)))).toEqual(new Set([cgroup(Pid)]));
});

test('output of a terminal is followed and logged', async () => {
  const id = await engine.run(shell('printf "name? "; read name; echo hello $name; stty size'), {
    Tty: true,
    OpenStdin: true,
  });
  const socket = await engine.hijack(`/containers/${id}/attach?stdin=1&stream=1&stdout=1&logs=1`);
  let heard = '';
  socket.on('data', piece => {
    heard += piece;
  });
  await eventually(
    async () => heard,
    text => text === 'name? ',
  );
  expect((await engine.ask('POST', `/containers/${id}/resize?h=20&w=70`)).status).toBe(200);
  socket.write('me\n');
  await eventually(
    async () => heard,
    text => text === 'name? me\r\nhello me\r\n20 70\r\n',
  );
  await engine.wait(id);
  expect((await engine.ask('GET', `/containers/${id}/logs?stdout=1`)).body.toString()).toBe(heard);
});

function once(socket: { once(event: 'data', listener: (piece: Buffer) => void): unknown }): Promise<Buffer> {
  return new Promise(resolve => socket.once('data', resolve));
}
