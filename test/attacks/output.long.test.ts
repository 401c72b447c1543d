// A container that writes hundreds of megabytes, and what that costs the daemon.
import { existsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStatus } from '../../mini-docker/linux/proc/status.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type EngineClient, engineClient } from '../support/engine-client.ts';

let daemon: TestDaemon;
let engine: EngineClient;
beforeAll(async () => {
  daemon = await startDaemon();
  engine = engineClient(daemon);
});
afterAll(() => daemon.stop());

/** Memory of the daemon in use. Bytes. */
const memory = (): number => readStatus(daemon.pid)!.rss!;

describe('a container that writes without end', () => {
  test("neither fills the daemon's memory nor more of the disk than its log may take", async () => {
    const before = memory();
    const script = 'yes "$(printf %01000d 0)" | head -c 300000000; echo; echo done';
    const id = await engine.run(['sh', '-c', script], {
      HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } } },
    });
    expect(await engine.wait(id)).toBe(0);
    expect(memory() - before).toBeLessThan(150 * 2 ** 20);
    const { LogPath } = await engine.json<{ LogPath: string }>('GET', `/containers/${id}/json`);
    for (const file of [LogPath, `${LogPath}.1`]) expect(statSync(file).size, file).toBeLessThan(1.2e6);
    expect(existsSync(`${LogPath}.2`)).toBe(false);
    expect((await engine.logs(id)).endsWith('done\n')).toBe(true);
  }, 120_000);

  test('a line without an end is not kept in memory', async () => {
    const before = memory();
    const id = await engine.run(['sh', '-c', 'head -c 200000000 /dev/zero | tr "\\0" x']);
    expect(await engine.wait(id)).toBe(0);
    expect(memory() - before).toBeLessThan(150 * 2 ** 20);
  }, 120_000);
});
