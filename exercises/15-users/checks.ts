// What the programs of exercise 15 must do with ids, seen from outside.
import { readFileSync } from 'node:fs';
import { namespaceInode, readStatus } from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { childBegins, heldClone } from '../../learn/grader/held-clone.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'become', title: 'Any number you like', points: 4, file: 'become.ts', check: checkBecome },
    {
      id: 'shift',
      title: "A layer for another user's root",
      points: 4,
      file: 'shift.ts',
      needsRoot: true,
      check: checkShift,
    },
  ],
};

/** An ordinary user: made of root where we are root; else ourselves, and only with the one id that we have. */
function ordinaryUser({ random }: Lab): { uid: number; gid: number; wrapper: string[] } {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  if (uid !== 0) return { uid, gid, wrapper: [] };
  const other = { uid: random.integer(2000, 30_000), gid: random.integer(30_001, 60_000) };
  return {
    ...other,
    wrapper: ['setpriv', '--reuid', `${other.uid}`, '--regid', `${other.gid}`, '--clear-groups'],
  };
}

async function checkBecome(lab: Lab): Promise<void> {
  const { random } = lab;
  const { uid, gid, wrapper } = ordinaryUser(lab);
  const inside = { uid: random.integer(60_001, 64_000), gid: random.integer(100, 1900) };
  const args = [`${inside.uid}`, `${inside.gid}`];
  const code = random.integer(3, 100);
  // A parent that writes the maps too late may be fast enough by luck. Here it is late.
  const go = `/tmp/${random.word()}`;
  const environment = heldClone(go);
  const begun = await lab.start([...args, 'sh', '-c', `id -u; id -g; exit ${code}`], {
    wrapper,
    environment,
  });
  if (await childBegins(lab, begun)) {
    await lab.until(() => begun.stdout !== '', 2000);
  }
  await lab.command(['touch', go]);
  const told = await begun.ended;
  lab.promise('numbers', told.stdout === `${inside.uid}\n${inside.gid}\n`, {
    promised: `the command begins as user ${inside.uid} of group ${inside.gid}`,
    seen: ending(told),
    look: 'what is written into uid_map and gid_map, and whether that is before the child goes on',
  });
  lab.promise('exit-code', told.code === code, {
    promised: `it ends as the command does, with ${code}`,
    seen: ending(told),
    look: 'statusOf()',
  });
  const probe = ['sleep', `${random.integer(1_000_000, 9_000_000)}`];
  const running = await lab.start([...args, ...probe], { wrapper });
  const pid = await lab.find(probe, { running });
  lab.promise('runs', pid !== undefined, {
    promised: `it runs ${probe.join(' ')}`,
    seen: 'there is no such process',
    look: 'program(command)',
  });
  lab.promise('own-namespace', namespaceInode(pid!, 'user') !== namespaceInode(lab.sandbox.pid, 'user'), {
    promised: 'the command has a user namespace of its own',
    seen: 'it has that of the sandbox',
    look: 'the flags of clone: readlink /proc/PID/ns/user',
  });
  const status = readStatus(pid!)!;
  const [uids, gids] = [Object.values(status.uid), Object.values(status.gid)];
  const outside = `Uid ${uids.join(' ')}, Gid ${gids.join(' ')}`;
  lab.promise('same-outside', uids.every(id => id === uid) && gids.every(id => id === gid), {
    promised: `outside it is who started it: user ${uid}, group ${gid}`,
    seen: outside,
    look: 'grep id /proc/PID/status',
  });
  for (const [file, id, own] of [
    ['uid_map', inside.uid, uid],
    ['gid_map', inside.gid, gid],
  ] as const) {
    const map = readFileSync(`/proc/${pid}/${file}`, 'utf8').trim().split(/\s+/).join(' ');
    lab.promise('one-id', map === `${id} ${own} 1`, {
      promised: `${file} has one line and one id: ${id} ${own} 1`,
      seen: map === '' ? 'it is empty' : map,
      look: `cat /proc/PID/${file}`,
    });
  }
  const groups = readFileSync(`/proc/${pid}/setgroups`, 'utf8').trim();
  lab.promise('groups', groups === 'deny', {
    promised: 'it may not change its groups',
    seen: `/proc/PID/setgroups says ${groups}`,
    look: 'setgroups in user_namespaces(7)',
  });
}

async function checkShift(lab: Lab): Promise<void> {
  const { random } = lab;
  const [top, link, twice, setuid, plain] = ['d', 'l', 't', 's', 'p'].map(letter => letter + random.word());
  const first = random.integer(2, 30) * 65_536;
  const count = random.integer(20_000, 65_536);
  const id = (): number => random.integer(1, 19_000);
  const ids = new Map([top, link, twice, setuid, plain].map(name => [name!, [id(), id()] as const]));
  const owner = (name: string): string => ids.get(name)!.join(':');
  const layer = `/tmp/${random.word()}`;
  const outside = `/tmp/${random.word()}`;
  const stat = async (): Promise<string[]> => {
    const names = [top, `${top}/${link}`, `${top}/${twice}`, `${top}/${setuid}`, plain, `${top}/again`];
    const listed = await lab.command([
      'sh',
      '-c',
      `cd ${layer} && stat -c '%n %u:%g %a' . ${names.join(' ')} ${outside}`,
    ]);
    return listed.stdout.trim().split('\n');
  };
  const arranged = await lab.command([
    'sh',
    '-ec',
    `mkdir -p ${layer}/${top}; cd ${layer}; echo outside > ${outside}; chmod 600 ${outside}
     ln -s ${outside} ${top}/${link}; echo a > ${top}/${twice}; ln ${top}/${twice} ${top}/again
     echo b > ${top}/${setuid}; echo c > ${plain}
     for each in ${top}=${owner(top!)} ${top}/${link}=${owner(link!)} ${top}/${twice}=${owner(twice!)} \
       ${top}/${setuid}=${owner(setuid!)} ${plain}=${owner(plain!)}
     do chown -h "\${each#*=}" "\${each%%=*}"; done
     chmod 6755 ${top}/${setuid}; chmod 640 ${plain}`,
  ]);
  if (arranged.code !== 0) throw new Error(`the layer cannot be made: ${arranged.stderr}`);
  const before = await stat();
  const ran = await lab.run([layer, `${first}`, `${count}`]);
  const after = await stat();
  const expected = before.map((line, at) => {
    if (at === before.length - 1) return line;
    return line.replace(/ (\d+):(\d+) /, (_, uid, gid) => ` ${first + Number(uid)}:${first + Number(gid)} `);
  });
  const promises: [check: string, line: number, promised: string, look: string][] = [
    [
      'plain',
      5,
      `a file of ${owner(plain!)} belongs to ${first} and so much more`,
      'user and group: lchownSync(path, uid, gid)',
    ],
    ['root', 0, 'the directory itself is shifted, too', 'paths[0]'],
    ['outside', 7, 'what a link leads to stays as it was', 'chown follows links, lchown does not'],
    ['link', 2, 'the link itself is shifted', 'lchownSync, and lstatSync to learn whose it is'],
    ['once', 3, 'a file with two names is shifted once', 'two names, one inode: ls -i'],
    [
      'setuid',
      4,
      'a program with setuid and setgid (6755) has both afterwards',
      'what chown(2) does to the mode',
    ],
    ['directories', 1, 'directories are shifted', 'all of the list'],
  ];
  for (const [check, line, promised, look] of promises) {
    lab.promise(check, after[line] === expected[line], {
      promised: `${promised}: ${expected[line]}`,
      seen:
        after[line] === before[line] ? `it has not changed; ${ending(ran)}` : (after[line] ?? ending(ran)),
      look,
    });
  }
  // Now everything in it belongs to ids beyond any map that begins with 0.
  const refused = await lab.run([layer, '0', `${count}`]);
  const left = await stat();
  lab.promise('not-in-the-map', refused.code === 1 && refused.stderr.includes(layer), {
    promised: 'an id that is not in the map ends it with 1, and the file is named on stderr',
    seen: ending(refused),
    look: 'n ≥ COUNT',
  });
  await lab.command(['chown', '-h', `${id()}:${id()}`, `${layer}/${plain}`]);
  const untouched = await stat();
  await lab.run([layer, `${first}`, `${count}`]);
  lab.promise('nothing-changed', left.join() === after.join() && (await stat()).join() === untouched.join(), {
    promised: 'then nothing at all has changed, not even files that are in the map',
    seen: 'some files have new owners',
    look: 'look at all of them first, and change then',
  });
}
