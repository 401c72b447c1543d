import { readFileSync } from 'node:fs';
import { namespaceOf, shell, statusField, waiting } from '../../../learn/capstone/container.ts';
import type { Checks } from '../../../learn/capstone/stages.ts';
import { ending } from '../../../learn/grader/lab.ts';

export const stage: Checks = {
  async check(lab) {
    const first = lab.random.integer(20, 60) * 10_000;
    const mapped = ['--uidmap', `0:${first}:65536`, '--gidmap', `0:${first}:65536`];
    const { pid, client } = await waiting(lab, mapped);
    const map = readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/).join(' ');
    lab.promise(
      'map',
      namespaceOf(pid, 'user') !== namespaceOf(lab.sandbox.pid, 'user') && map === `0 ${first} 65536`,
      {
        promised: `--uidmap 0:${first}:65536 gives it a user namespace with this map`,
        seen: `its uid_map is ${map}`,
        look: 'CLONE_NEWUSER; the parent writes /proc/PID/uid_map and gid_map, and the child waits for it',
      },
    );
    lab.promise('uid', statusField(pid, 'Uid') === `${first}`, {
      promised: `root in the container is ${first} on the machine`,
      seen: `it is ${statusField(pid, 'Uid')}`,
      look: 'setuid(0) in the new namespace, after the map is written',
    });
    client.kill();
    const directory = `/tmp/${lab.random.word()}`;
    await lab.command(['sh', '-c', `mkdir ${directory}; chmod 777 ${directory}`]);
    const wrote = await shell(
      lab,
      'id -u; stat -c %u /etc/passwd; echo x > /etc/x && touch /v/f && chown 7 /v/f; stat -c %u /v/f',
      [...mapped, ...['-v', `${directory}:/v`]],
    );
    lab.promise('inside', wrote.stdout === '0\n0\n7\n', {
      promised: "in the container, root is 0, the image's files belong to 0, and root can write them",
      seen: `${ending(wrote)}; ${wrote.stderr.trim()}`,
      look: 'the owner of the files: MOUNT_ATTR_IDMAP, or a copy of the layer with shifted owners',
    });
    const owner = await lab.command(['stat', '-c', '%u', `${directory}/f`]);
    lab.promise('outside', owner.stdout === `${first + 7}\n`, {
      promised: `a file of user 7 belongs to ${first + 7} on the machine`,
      seen: ending(owner),
      look: 'which of the two numbers does the disk keep?',
    });
    const other = await shell(lab, 'cat /proc/self/uid_map; stat -c %u /etc/passwd');
    lab.promise('others', other.stdout.trim().endsWith('\n0') && !other.stdout.includes(`${first}`), {
      promised: 'a container without --uidmap is as before',
      seen: ending(other),
      look: 'were the owners changed in the image itself?',
    });
  },
};
