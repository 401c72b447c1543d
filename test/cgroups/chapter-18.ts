// Chapter 18 where there is no version 1: the daemon's boxes, and their statistics. Run by v2.long.test.ts.
import { expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { capture } from '../../learn/sandbox/capture.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';

test('a client runs a box, sees what it uses, and finds it again after kill -9 of the daemon', async () => {
  await using sandbox = await Sandbox.create();
  const daemon = 'node chapters/18-daemon/box.ts daemon > /tmp/log 2>&1 &';
  const { stdout, stderr } = await capture(
    sandbox,
    [
      'sh',
      '-ec',
      // Where the repository lies in /tmp, that is an overlay, which cannot hold another one's upper layer.
      `mkdir /tmp/box; mount -t tmpfs box /tmp/box
      d() { mini-docker -H unix:///tmp/box/docker.sock "$@"; }
      node chapters/08-layers/box.ts true
      tar -C /tmp/box/rootfs -cf /tmp/box.tar .
      node chapters/09-images/box.ts import /tmp/box.tar box
      ${daemon} daemon=$!
      until grep -q serving /tmp/log; do sleep 1; done
      # The kernel of the virtual machine has no bridges.
      d run --rm --net none box sh -c 'exit 7' || echo $?
      d run -d --name busy --net none --memory 64m box sh -c 'while :; do :; done'
      d stats --no-stream --format '{{.MemUsage}} {{.PIDs}} {{.CPUPerc}}' busy
      kill -9 $daemon
      ${daemon}
      until grep -q serving /tmp/log; do sleep 1; done
      d ps --format '{{.Names}} {{.State}}'
      d stop -t 0 busy; d wait busy`,
    ],
    { directory: repository, timeout: 250_000 },
  );
  const [, code, , stats = '', ...rest] = stdout.trim().split('\n');
  expect(code, stderr).toBe('7');
  expect(stats, stderr).toMatch(/^[1-9][\d.]*[KM]iB \/ 64MiB 1 [1-9]/);
  expect(rest, stderr).toEqual(['busy running', 'busy', '137']);
}, 300_000);
