import { readMountinfo } from '#linux';
import { shell, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const { random } = lab;
    const machine = new Set((readMountinfo(lab.sandbox.pid) ?? []).map(({ device }) => device));
    const [name, text] = [random.word(), random.word()];
    const made = await shell(
      lab,
      `echo ${text} > /${name}; echo ${text} >> /etc/passwd; rm /etc/group; cat /${name}; grep -c ${text} /etc/passwd`,
    );
    lab.promise('writable', made.stdout === `${text}\n1\n`, {
      promised: "a container can write to its root, and change and remove the image's files",
      seen: `${ending(made)}; ${made.stderr}`,
      look: 'overlay: upperdir takes the changes; it must not lie on an overlay itself ($CAPSTONE_STATE does not)',
    });
    const next = await shell(lab, `ls /${name}; grep ${text} /etc/passwd; ls /etc/group`);
    lab.promise('not-shared', next.stdout === '/etc/group\n', {
      promised: 'the next container of the image sees nothing of it',
      seen: ending(next),
      look: 'an upperdir for each container',
    });
    const image = await lab.command([
      'sh',
      '-c',
      `ls /capstone/images/busybox/${name}; grep -c ${text} /capstone/images/busybox/etc/passwd`,
    ]);
    lab.promise('image-unchanged', image.stdout === '0\n', {
      promised: 'the image itself is unchanged',
      seen: 'the changes are in $CAPSTONE_IMAGES/busybox',
      look: 'lowerdir is never written',
    });
    // Two at once: neither sees the other's files.
    const { client, pid } = await waiting(lab, ['-v', '/tmp:/shared']);
    const root = (readMountinfo(pid) ?? []).findLast(({ mountPoint }) => mountPoint === '/');
    const isOwn =
      root !== undefined && /^(fuse\.fuse-)?overlay(fs)?$/.test(root.type) && !machine.has(root.device);
    lab.promise('overlay', isOwn, {
      promised: "the container's root is an overlay of its own, so that the image is there once",
      seen:
        root === undefined
          ? 'its root is no mount'
          : `/proc/PID/mountinfo: ${root.type} of ${root.source} on /`,
      look: 'a copy of the image for each container takes its time and its space; overlay takes neither',
    });
    const first = await lab.start([
      'run',
      '-v',
      '/tmp:/shared',
      'busybox',
      'sh',
      '-c',
      `echo ${text} > /${name}; touch /shared/${name}; sleep 30`,
    ]);
    for (let n = 0; n < 400 && (await lab.command(['test', '-e', `/tmp/${name}`])).code !== 0; n++);
    const second = await shell(lab, `cat /${name} 2>/dev/null || echo none`);
    first.kill();
    client.kill();
    lab.promise('at-once', second.stdout === 'none\n', {
      promised: 'two containers of one image that run at once do not see each other’s changes',
      seen: ending(second),
      look: 'the name of the upperdir: is it unique?',
    });
  },
};
