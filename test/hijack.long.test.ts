import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDaemon } from './support/daemon.ts';
import { engineClient } from './support/engine-client.ts';
import { dockerPython, LOST_OUTPUT } from './support/foreign-clients.ts';

test.skipIf(dockerPython === undefined)(
  'docker-py loses no output of 1000 programs',
  async () => {
    await using daemon = await startDaemon();
    await engineClient(daemon).run(['sh', '-c', 'echo begins; exec sleep 1000'], { name: 'host' });
    const { stdout } = await promisify(execFile)(dockerPython!, [LOST_OUTPUT, daemon.host, '1000']);
    expect(stdout).toBe('0\n');
  },
  180_000,
);
