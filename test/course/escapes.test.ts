// The two ways out that `learn shell --escapes` gives a sandbox: they exist there, and nowhere else.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { capture } from '../../learn/sandbox/capture.ts';
import { type Escapes, openEscapes } from '../../learn/sandbox/escapes.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { missing } from './needs.ts';

const why = missing('escapes');

async function output(sandbox: Sandbox, script: string, environment = {}): Promise<string> {
  const { stdout, stderr } = await capture(sandbox, ['sh', '-c', script], { environment });
  return (stdout + stderr).trim();
}

test('a sandbox does not see the root of any hierarchy of control groups, where release_agent is', async () => {
  await using sandbox = await Sandbox.create();
  const script = `mkdir /mnt/g
    for options in $(sed -n 's/^[1-9][0-9]*:\\([^:]*\\):.*/\\1/p' /proc/self/cgroup); do
      case $options in name=mini-docker-escapes-*) continue;; name=*) options=none,$options;; esac
      mount -t cgroup -o $options none /mnt/g && ls /mnt/g | grep release_agent && umount /mnt/g
    done
    mount -t cgroup -o none,name=another-${process.pid} none /mnt/g 2>/dev/null && echo made one`;
  expect(await output(sandbox, script)).toBe('');
});

describe.skipIf(why !== undefined)(`with escapes${why === undefined ? '' : ` (${why})`}`, () => {
  let escapes: Escapes;
  let sandbox: Sandbox;
  let environment: Record<string, string>;
  beforeAll(async () => {
    escapes = openEscapes();
    sandbox = await Sandbox.create({ escapes });
    environment = escapes.environment(sandbox.pid);
  });
  afterAll(async () => {
    await sandbox?.close();
    await escapes?.[Symbol.asyncDispose]();
  });

  test.skipIf(missing('loop') !== undefined)(
    'it reads and writes its own disk, and still no other one (wants loop devices)',
    async () => {
      const script =
        'mknod /disk b $DISK; echo changed | dd of=/disk conv=notrunc 2>/dev/null; head -n 1 /disk';
      expect(await output(sandbox, script, environment)).toBe('changed');
      const other =
        'mknod /other b 7 $((1 + $(echo $DISK | cut -c3-))); mknod /first b 8 0; head -c 1 /other; head -c 1 /first';
      expect(await output(sandbox, other, environment)).toMatch(/(.*not permitted\s*){2}$/);
    },
  );

  test('release_agent runs a program on the machine', async () => {
    const script = `echo '#!/bin/sh' > /tmp/agent; echo "hostname > $OUTSIDE/tmp/report" >> /tmp/agent
      chmod +x /tmp/agent; mkdir /mnt/e; mount -t cgroup -o none,name=$HIERARCHY none /mnt/e
      echo $OUTSIDE/tmp/agent > /mnt/e/release_agent; mkdir /mnt/e/trap; echo 1 > /mnt/e/trap/notify_on_release
      sh -c 'echo $$ > /mnt/e/trap/cgroup.procs'; until [ -s /tmp/report ]; do sleep 0.1; done; cat /tmp/report`;
    expect(await output(sandbox, script, environment)).toBe(hostname());
  });

  test('another sandbox does not see release_agent', async () => {
    await using other = await Sandbox.create();
    const script = `mount -t cgroup -o none,name=$HIERARCHY none /mnt; ls /mnt | grep release_agent`;
    expect(await output(other, script, environment)).toBe('');
  });

  test('nothing is left afterwards', async () => {
    await sandbox.close();
    // A sandbox of another test may have a group in it, until it ends.
    await vi.waitFor(async () => {
      await escapes[Symbol.asyncDispose]();
      expect(readFileSync('/proc/self/cgroup', 'utf8')).not.toContain(escapes.hierarchy);
    }, 20_000);
  });
});
