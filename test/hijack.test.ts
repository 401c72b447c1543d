// What the clients that hijack connections get and give: every byte of a program's output, and every byte of its input.
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon, type TestDaemon } from './support/daemon.ts';
import { type EngineClient, engineClient, unframed } from './support/engine-client.ts';
import { dockerPython, LOST_OUTPUT } from './support/foreign-clients.ts';

let daemon: TestDaemon;
let engine: EngineClient;
let id: string;

beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
  id = await engine.run(['sh', '-c', 'echo begins; exec sleep 1000'], { name: 'host' });
});
afterAll(() => daemon.stop());

/** What each read brought, until the daemon ends the connection. */
function reads(request: string, input = ''): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect({ path: daemon.socket, allowHalfOpen: true });
    socket.on('data', piece => pieces.push(piece));
    socket.on('end', () => resolve(pieces)).on('error', reject);
    socket.write(request);
    socket.end(input);
  });
}

async function exec(cmd: string[], more: object = {}): Promise<string> {
  const body = { AttachStdout: true, AttachStderr: true, Cmd: cmd, ...more };
  return (await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body)).Id;
}

const startRequest = (exec: string, upgrade: string): string =>
  `POST /exec/${exec}/start HTTP/1.1\r\nHost: d\r\n${upgrade}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;

test('the head of an exec is a message of its own, and the output comes whole after it', {
  timeout: 90_000,
}, async () => {
  for (let call = 0; call < 100; call++) {
    const upgrade = call % 2 === 0 ? 'Connection: Upgrade\r\nUpgrade: tcp\r\n' : '';
    const [head, ...output] = await reads(startRequest(await exec(['echo', `call ${call}`]), upgrade));
    expect(head!.toString()).toMatch(/^HTTP\/1\.1 (101|200) .*\r\n\r\n$/s);
    expect(unframed(Buffer.concat(output))).toBe(`call ${call}\n`);
  }
});

test('the input of a client that asks for no upgrade reaches the program, of attach and of exec', async () => {
  const output = await reads(startRequest(await exec(['cat'], { AttachStdin: true }), ''), 'to the exec');
  expect(unframed(Buffer.concat(output.slice(1)))).toBe('to the exec');

  const open = { OpenStdin: true, StdinOnce: true, AttachStdin: true };
  const cat = await engine.run(['cat'], open);
  const request = `POST /containers/${cat}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n`;
  const attached = Buffer.concat(await reads(request, 'to the container'));
  expect(unframed(attached.subarray(attached.indexOf('\r\n\r\n') + 4))).toBe('to the container');
});

test.skipIf(dockerPython === undefined)(
  'docker-py loses no output of 100 programs',
  { timeout: 90_000, tags: 'further' },
  async () => {
    const { stdout } = await promisify(execFile)(dockerPython!, [LOST_OUTPUT, daemon.host, '100']);
    expect(stdout).toBe('0\n');
  },
);
