// Chapter 16 where there is no version 1: its device rules are a program then. Run by v2.long.test.ts.
import { expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { capture } from '../../learn/sandbox/capture.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';

test('a box may make and open the devices of its list, and no others', async () => {
  await using sandbox = await Sandbox.create();
  const box = 'node chapters/16-rights/box.ts';
  // The kernel of the virtual machine has no bridges.
  const run = `${box} run --net none`;
  const { stdout, stderr } = await capture(
    sandbox,
    [
      'sh',
      '-ec',
      // Where the repository lies in /tmp, that is an overlay, which cannot hold another one's upper layer.
      `mkdir /tmp/box; mount -t tmpfs box /tmp/box
      node chapters/08-layers/box.ts true
      tar -C /tmp/box/rootfs -cf /tmp/busybox.tar .
      ${box} import /tmp/busybox.tar busybox
      ${run} busybox sh -c 'mknod /here c 1 5 && head -c 3 /here | wc -c; head -c 3 /dev/zero | wc -c; mknod /log c 1 11; mknod /disk b 8 0; mknod /z b 1 5; echo done'
      ${run} --privileged busybox mknod /log c 1 11 && echo made`,
    ],
    { directory: repository, timeout: 200_000 },
  );
  expect(stdout.split('\n').slice(1).join(' ').trim(), stderr).toBe('3 3 done made');
  expect(stderr.match(/Operation not permitted/g)?.length, stderr).toBe(3);
}, 250_000);
