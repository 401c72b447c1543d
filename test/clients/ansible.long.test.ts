// Ansible's collection community.docker: a play that makes, compares, changes and removes containers, images,
// networks, volumes and a project of docker-compose. It takes a minute and a half, most of it Ansible's own.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { engineClient } from '../support/engine-client.ts';
import { hasAnsibleDocker } from '../support/foreign-clients.ts';

test.skipIf(!hasAnsibleDocker)(
  "ansible's community.docker finds everything as it left it, and removes it",
  async () => {
    await using daemon = await startDaemon();
    const scratch = mkdtempSync(join(tmpdir(), 'mini-docker-ansible-'));
    try {
      writeFileSync(join(scratch, 'Dockerfile'), 'FROM busybox\nLABEL made=yes\n');
      const settings = {
        socket: daemon.host,
        context: scratch,
        ansible_python_interpreter: '/usr/bin/python3',
      };
      const play = ['-e', JSON.stringify(settings), join(import.meta.dirname, 'ansible/play.yml')];
      // The play asks a published port's container by its name, and does not reach out of the daemon's network.
      const inside = ['-t', String(daemon.namespaces), '-n', 'ansible-playbook', ...play];
      const { stdout } = await promisify(execFile)('nsenter', inside, {
        env: { ...process.env, HOME: scratch, ANSIBLE_LOCALHOST_WARNING: '0', ANSIBLE_NOCOLOR: '1' },
        maxBuffer: 1 << 24,
        timeout: 400_000,
      });
      expect(stdout).toMatch(/localhost +: ok=41 .*failed=0/);
      const engine = engineClient(daemon);
      expect(await engine.json('GET', '/containers/json?all=1')).toEqual([]);
      const { Volumes } = await engine.json<{ Volumes: unknown[] }>('GET', '/volumes');
      expect(Volumes ?? []).toEqual([]);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
  420_000,
);
