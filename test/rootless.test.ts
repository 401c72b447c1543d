// The daemon of an ordinary user: what Docker calls rootless.
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient } from './support/engine-client.ts';
import { USER } from './support/ordinary-user.ts';

let daemon: TestDaemon;
let engine: EngineClient;

beforeAll(async () => {
  daemon = await startDaemon({ rootless: true });
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

/** Runs JavaScript in the host's network. */
const onHost = (script: string, ...args: string[]): string => {
  const command = ['-t', String(daemon.namespaces), '-n', '-m', process.execPath, '-e', script, ...args];
  return execFileSync('nsenter', command, { encoding: 'utf8', timeout: 20_000 });
};
const status = (pid: number, field: string): string =>
  new RegExp(`^${field}:\\s+(\\w+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
const userNamespace = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/user`);
const remove = (id: string) => engine.ask('DELETE', `/containers/${id}?force=1`);

test('neither the daemon nor root of a container has any right outside', async () => {
  const id = await engine.run(['sleep', '1000']);
  const { Pid } = (await engine.inspect(id)).State;
  for (const pid of [daemon.pid, Pid]) {
    expect(status(pid, 'Uid')).toBe(String(USER.id));
    expect(userNamespace(pid)).not.toBe(userNamespace('self'));
    expect(status(pid, 'CapEff')).not.toBe('0000000000000000');
  }
  await remove(id);
});

test("a container's other users are subordinate ids of the user", async () => {
  const id = await engine.run(['sleep', '1000'], { User: '33:33' });
  expect(status((await engine.inspect(id)).State.Pid, 'Uid')).toBe(String(USER.subordinate + 32));
  await remove(id);
});

test('other users can reach neither the socket nor the data', () => {
  for (const directory of [daemon.runDir, daemon.dataRoot])
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(daemon.socket).uid).toBe(USER.id);
});

const GET = `const again = () => fetch('http://' + process.argv[1]).then(answer => answer.text()).then(console.log, again);
again();`;
const ECHO = `const socket = require('node:dgram').createSocket('udp4');
const again = setInterval(() => socket.send('echo', 5353, process.argv[1]), 50);
socket.on('message', text => { console.log(String(text)); process.exit(); });`;

test('a published port answers on 127.0.0.1 and on the address of the host, for TCP and UDP', async () => {
  const script = 'echo hello > /index.html; httpd -h /; exec nc -lu -p 53 -e cat';
  const id = await engine.run(['sh', '-c', script], {
    HostConfig: {
      NetworkMode: 'bridge',
      PortBindings: { '80/tcp': [{ HostPort: '8080' }], '53/udp': [{ HostPort: '5353' }] },
    },
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  });
  for (const address of ['127.0.0.1', '198.51.100.2', '[::1]'])
    expect(onHost(GET, `${address}:8080`)).toBe('hello\n\n');
  // This server answers its first client only.
  expect(onHost(ECHO, '198.51.100.2')).toBe('echo\n');
  await remove(id);
});
