import { request } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { engineClient } from '../support/engine-client.ts';

/** More than the daemon has descriptors for. */
const EXECS = 5000;

test('thousands of execs are refused before the daemon has no descriptor left, and others are served', async () => {
  await using daemon = await startDaemon();
  const engine = engineClient(daemon);
  const id = await engine.run(['sleep', '1000']);
  const sockets: Socket[] = [];
  const refused: string[] = [];

  const start = async (): Promise<void> => {
    const body = { Cmd: ['sleep', '1000'], AttachStdin: true, AttachStdout: true };
    const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    await new Promise<void>((resolve, reject) => {
      const asked = request({
        socketPath: daemon.socket,
        method: 'POST',
        path: `/exec/${Id}/start`,
        headers: { 'Content-Type': 'application/json', Connection: 'Upgrade', Upgrade: 'tcp' },
      });
      asked.on('upgrade', (_, socket) => {
        sockets.push(socket.on('error', () => {}));
        resolve();
      });
      asked.on('response', response => {
        let text = '';
        response.on('data', piece => {
          text += piece;
        });
        response.on('end', () => {
          refused.push(text);
          resolve();
        });
      });
      asked.on('error', reject);
      asked.end(JSON.stringify({ Detach: false, Tty: false }));
    });
  };
  let left = EXECS;
  const work = async () => {
    while (left-- > 0) await start();
  };
  await Promise.all(Array.from({ length: 40 }, work));
  if (refused.length > 0) expect(refused[0]).toContain('too many open files for another exec');
  expect(await engine.wait(await engine.run(['true']))).toBe(0);
  for (const socket of sockets) socket.destroy();
  expect((await engine.ask('DELETE', `/containers/${id}?force=1`)).status).toBe(204);
}, 300_000);
