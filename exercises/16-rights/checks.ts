// What the kernel must show of the rights of exercise 16's programs: their sets and their filter, and system calls that
// succeed or fail.
import { writeFileSync } from 'node:fs';
import {
  AF,
  AT,
  CAP,
  chroot,
  mkdirat,
  readStatus,
  SOCK,
  type Step,
  sethostname,
  socket,
  umask,
  unshare,
} from '#linux';
import type { Exercise } from '../../learn/grader/exercise.ts';
import { ending, type Lab } from '../../learn/grader/lab.ts';
import { mountsOutside, newMounts, toldMounts } from '../../learn/grader/outside.ts';
import { ELF_DATA_ADDRESS, encodeElf } from '../../mini-docker/linux/elf.ts';
import { compile } from '../../mini-docker/linux/program.ts';
import { hostArchitecture, mayFail, resultOf } from '../../mini-docker/linux/step.ts';
import { exitGroup } from '../../mini-docker/linux/syscalls.ts';

export const exercise: Exercise = {
  tasks: [
    { id: 'shut', title: 'A door without a handle', points: 3, file: 'shut.ts', check: checkShut },
    {
      id: 'ordinary',
      title: 'An ordinary user with one right',
      points: 4,
      file: 'ordinary.ts',
      needsRoot: true,
      check: checkOrdinary,
    },
    { id: 'refuse', title: 'A filter', points: 4, file: 'refuse.ts', check: checkRefuse },
  ],
};

const has = (set: bigint, capability: number): boolean => ((set >> BigInt(capability)) & 1n) === 1n;
const hex = (set: bigint): string => set.toString(16).padStart(16, '0');

/** Starts the learner's program with a command that stays. @returns the command's pid */
async function sleeping(lab: Lab, args: readonly string[], wrapper: readonly string[] = []): Promise<number> {
  const argv = ['sleep', String(lab.random.integer(1_000_000, 9_000_000))];
  const running = await lab.start([...args, ...argv], { wrapper });
  const pid = await lab.find(argv, { running });
  lab.promise('starts', pid !== undefined, {
    promised: `it runs the command, ${argv.join(' ')}`,
    seen: 'there is no such process',
    look: 'the messages on stderr',
  });
  return pid!;
}

async function checkShut(lab: Lab): Promise<void> {
  const { random } = lab;
  const [directory, name, text] = [`/tmp/${random.word()}`, random.word(), random.word()];
  const path = random.pick([directory, `${directory}/${name}`]);
  const file = `${directory}/${name}`;
  await lab.command(['sh', '-c', `mkdir ${directory}; echo ${text} > ${file}`]);
  const before = mountsOutside(lab);
  const code = random.integer(3, 100);
  const ran = await lab.run([path, 'sh', '-c', `cat ${file}; echo more >> ${file}; exit ${code}`], {
    environment: { LC_ALL: 'C' },
  });
  lab.promise('read-only', ran.stdout === `${text}\n` && /Read-only/.test(ran.stderr), {
    promised: `in the box, ${file} can be read, and writing to it fails with EROFS`,
    seen: `${ending(ran)}; ${ran.stderr === '' ? 'writing did not fail' : ran.stderr.trim()}`,
    look: 'the first MS.BIND ignores other flags: a remount sets them',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `it exits as the command does, with ${code}`,
    seen: ending(ran),
    look: 'statusOf()',
  });
  const pid = await sleeping(lab, [path]);
  const { bounding, effective } = readStatus(pid)!.capabilities;
  const [usual] = [readStatus(lab.sandbox.pid)!.capabilities.bounding];
  const tried = await lab.run([
    path,
    'sh',
    '-c',
    `mount -o remount,bind,rw ${path}; umount ${path}; echo more >> ${file}; cat ${file}`,
  ]);
  lab.promise('stays-shut', tried.stdout === `${text}\n`, {
    promised: `the command cannot open it again, by mount -o remount,bind,rw ${path} or umount ${path}`,
    seen: `it could write to ${file}; its CapEff is ${hex(effective)}`,
    look: 'which capability may mount, and what gives it back at the execve: CapBnd',
  });
  const lost = Object.entries(CAP).filter(
    ([, number]) =>
      number !== CAP.SYS_ADMIN && has(usual, number) && !(has(bounding, number) && has(effective, number)),
  );
  lab.promise('other-rights', lost.length === 0, {
    promised: 'the command keeps all rights except the one with which it could mount',
    seen: `it has lost ${lost.length} others, among them CAP_${lost[0]?.[0]}`,
    look: 'CapEff in /proc/PID/status',
  });
  const outside = await lab.command(['sh', '-c', `echo outside >> ${file} && cat ${file}`]);
  const more = newMounts(lab, before);
  lab.promise('outside-untouched', outside.stdout === `${text}\noutside\n` && more.length === 0, {
    promised: `outside, ${file} can be written as before, and nothing is mounted`,
    seen: `writing exits with ${outside.code}, and ${toldMounts(more)}`,
    look: 'the propagation of mounts, and what the remount changes: with MS.BIND this one mount',
  });
}

/** What each capability makes possible for an ordinary user. */
const DEEDS: Partial<Record<keyof typeof CAP, (lab: { file: string; victim: number }) => string>> = {
  CHOWN: ({ file }) => `chown 7 ${file}`,
  FOWNER: ({ file }) => `chmod 600 ${file}`,
  DAC_READ_SEARCH: ({ file }) => `cat ${file} > /dev/null`,
  KILL: ({ victim }) => `kill -0 ${victim}`,
  SYS_CHROOT: () => 'chroot / true',
};

async function checkOrdinary(lab: Lab): Promise<void> {
  const { random } = lab;
  const [uid, gid] = [random.integer(2000, 30_000), random.integer(30_001, 60_000)];
  const names = Object.keys(DEEDS) as (keyof typeof CAP)[];
  const name = random.pick(names);
  const args = [`${uid}`, `${gid}`, name];
  // Things that a carelessly started program has inherited: root's groups, and inheritable capabilities.
  const wrapper = ['setpriv', '--groups', `${random.integer(100, 900)}`, '--inh-caps', '+net_raw,+setgid'];
  const pid = await sleeping(lab, args, wrapper);
  const status = readStatus(pid)!;
  const [uids, gids] = [Object.values(status.uid), Object.values(status.gid)];
  lab.promise('identity', uids.every(id => id === uid) && gids.every(id => id === gid), {
    promised: `the command is user ${uid} and group ${gid}, in each of the four ids`,
    seen: `Uid ${uids.join(' ')}, Gid ${gids.join(' ')}`,
    look: 'grep id /proc/PID/status; setresuid(2)',
  });
  lab.promise('groups', status.groups.length === 0, {
    promised: 'it is in no other group',
    seen: `its groups are ${status.groups.join(' ')}`,
    look: 'setgroups(2)',
  });
  const only = 1n << BigInt(CAP[name]);
  for (const set of ['effective', 'permitted', 'ambient', 'inheritable', 'bounding'] as const) {
    lab.promise(set, status.capabilities[set] === only, {
      promised: `its ${set} set is CAP_${name} and nothing else: ${hex(only)}`,
      seen: hex(status.capabilities[set]),
      look:
        set === 'bounding'
          ? 'PR_CAPBSET_DROP, while you still have CAP_SETPCAP'
          : 'what an execve leaves to a user other than 0, and how a capability gets into that set',
    });
  }
  lab.promise('no-new-privs', status.noNewPrivs, {
    promised: 'no program that it starts can give it more',
    seen: 'NoNewPrivs in /proc/PID/status is 0',
    look: 'prctl(2), PR_SET_NO_NEW_PRIVS',
  });
  const file = `/tmp/${random.word()}`;
  await lab.command(['sh', '-c', `echo secret > ${file}; chmod 400 ${file}`]);
  const victim = lab.insidePid((await lab.arrange(['sleep', '300'])).pid)!;
  // chown takes the file's owner for granted no more: the right one comes last.
  const wrong = random.pick(names.filter(each => each !== name));
  const script = [wrong, name]
    .map(each => `${DEEDS[each]!({ file, victim })} 2>/dev/null; echo $?`)
    .join('; ');
  const tried = await lab.run([...args, 'sh', '-c', script], { wrapper });
  const [refused, allowed] = tried.stdout.trim().split('\n');
  lab.promise('really', allowed === '0' && refused !== '0', {
    promised: `a program that a shell starts may do what CAP_${name} allows, and not what CAP_${wrong} would allow`,
    seen: ending(tried),
    look: 'the five sets in /proc/PID/status',
  });
}

/** For each call of the task a program that makes it, and exits with 0, or with 256 - errno. */
const CALLS: Record<string, Step> = {
  chroot: chroot('/'),
  mkdirat: mkdirat(AT.FDCWD, '/tmp', 0o700),
  sethostname: sethostname('graded'),
  socket: socket(AF.UNIX, SOCK.STREAM, 0),
  umask: umask(0),
  unshare: unshare(0),
};

function probe(step: Step): Buffer {
  const architecture = hostArchitecture();
  const tried = mayFail(step);
  const { code, data } = compile([tried, exitGroup(resultOf(tried))], {
    architecture,
    dataAddress: ELF_DATA_ADDRESS,
  });
  return encodeElf({ architecture, code, data });
}

/** unshare(0) as a 32-bit call of x86: mov eax, 310; xor ebx, ebx; int 0x80; then the 64-bit exit(eax). */
const FOREIGN = encodeElf({
  architecture: 'x64',
  code: Buffer.from('b83601000031dbcd8089c7b83c0000000f05', 'hex'),
});

async function checkRefuse(lab: Lab): Promise<void> {
  const { random } = lab;
  const names = Object.keys(CALLS);
  const places = new Map(names.map(name => [name, `/tmp/${random.word()}`]));
  const inside = `/proc/${lab.sandbox.pid}/root`;
  for (const [name, place] of places) writeFileSync(inside + place, probe(CALLS[name]!), { mode: 0o755 });
  const foreign = `/tmp/${random.word()}`;
  writeFileSync(inside + foreign, FOREIGN, { mode: 0o755 });

  const refused = ['unshare', ...random.some(names.filter(name => name !== 'unshare'))];
  const errnos = new Map(refused.map(name => [name, random.integer(18, 120)]));
  const list = [...errnos].map(([name, errno]) => `${name}=${errno}`).join(',');
  const script = `${names.map(name => `${places.get(name)}; echo ${name} $?`).join('; ')}; exit `;
  const tell = (text: string): Map<string, number> =>
    new Map(
      text
        .trim()
        .split('\n')
        .map(line => line.split(' '))
        .map(([name = '', code]): [string, number] => [name, Number(code)]),
    );
  const natural = tell((await lab.command(['sh', '-c', `${script}0`])).stdout);
  const code = random.integer(3, 100);
  const ran = await lab.run([list, 'sh', '-c', `${script}${code}`]);
  const seen = tell(ran.stdout);
  for (const [name, errno] of errnos) {
    const got = seen.get(name);
    lab.promise('refused', got === 256 - errno, {
      promised: `${name} fails with the errno ${errno}`,
      seen:
        got === undefined
          ? ending(ran)
          : got === 159
            ? 'the program was killed (SIGSYS)'
            : got > 128
              ? `it fails with ${256 - got}`
              : 'it succeeds',
      look: 'the numbers of this architecture, where each jump leads, and the lower half of the verdict',
    });
  }
  const others = names.filter(name => !errnos.has(name) && seen.get(name) !== natural.get(name));
  lab.promise('others-work', others.length === 0, {
    promised: `all calls but ${[...errnos.keys()].join(' and ')} work as before`,
    seen: `${others[0]} does not`,
    look: 'where the jumps lead, and the last instruction',
  });
  lab.promise('exit-code', ran.code === code, {
    promised: `it exits as the command does, with ${code}`,
    seen: ending(ran),
    look: 'statusOf()',
  });
  if (process.arch === 'x64') {
    const around = await lab.run([list, 'sh', '-c', `${foreign}; echo $?`]);
    lab.promise('other-architecture', around.stdout.trim() !== '0', {
      promised: 'unshare cannot be made as a 32-bit call (int 0x80) either, where its number is 310',
      seen: 'it succeeds',
      look: 'the architecture, at byte 4: a number means nothing without it',
    });
  }
  const status = readStatus(await sleeping(lab, [list]))!;
  lab.promise('no-new-privs', status.noNewPrivs && status.seccomp === 'filter', {
    promised: 'no program that it starts can get new rights',
    seen: `in /proc/PID/status, NoNewPrivs is ${Number(status.noNewPrivs)}, and Seccomp says ${status.seccomp}`,
    look: 'prctl(2), PR_SET_NO_NEW_PRIVS',
  });
}
