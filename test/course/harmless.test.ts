// No command that the course shows does harm when it is typed outside of the sandbox, into the shell of the machine.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../learn/repository.ts';
import { blocksOf } from './readme.ts';
import { commandsOf } from './transcript.ts';

/** What a shell's command may not do. */
const HARM: readonly (readonly [string, RegExp])[] = [
  [
    'changes or removes files of the machine',
    /\b(?:rm|rmdir|mv|shred|truncate|chmod|chown|chattr|ln|tee|touch|sed -i)\b(?:\s+\S+)*?\s+(?!\/tmp\/)\/\S/,
  ],
  [
    'writes to a file of the machine',
    />\s*(?!\/tmp\/|\/dev\/(?:null|tty)|\/sys\/fs\/cgroup\/(?:\S*\/)?box\b|\/proc\/sys\/kernel\/ns_last_pid)\//,
  ],
  [
    'mounts on a place of the machine, or unmounts it',
    /\b(?:mount|umount)\b(?:\s+\S+)*?\s+(?!\/tmp\/|\/proc\/\$)\/\S/,
  ],
  [
    'ends processes by a name that others may have',
    /\b(?:pkill|killall)\b|kill[^;&|]*\$\(pgrep (?!-P)[^f)]*\)/,
  ],
  ['takes a process of the machine for its own', /\w+=\$\(pgrep (?!-P|[^)]*-f)[^)]*\)/],
  ['ends all processes', /\bkill\s+(?:-\S+\s+)?-1\b|\bkill\s+(?:-\S+\s+)?1$/],
  [
    'removes what all have in common',
    /\bipcrm\s+(?:-a|--all)\b|\bnft\s+flush\b|\biptables\s+-F\b|\bip\s+link\s+del/,
  ],
  [
    'changes settings of the machine',
    /\bsysctl\s+(?:-w\s+)?\S+=|^hostname\s+\S|\b(?:mkfs|swapoff|modprobe|insmod|rmmod)\b/,
  ],
  ['writes to a disk', /\bdd\b.*\bof=\/dev\//],
  ['ends the machine', /\b(?:reboot|halt|poweroff|shutdown|init [06])\b/],
];

/** Why a command is not for every terminal; undefined when it is. */
function harmOf(command: string): string | undefined {
  // Quoted text is run in a box, or only printed.
  const parts = command
    .replaceAll('\\\n', ' ')
    .replace(/'[^']*'/g, "''")
    .split(/;|&&|\|\||\|/)
    .map(part => part.trim());
  for (const part of parts) {
    if (part.startsWith('only-in-sandbox ')) continue;
    const inBox = /^(?:box|node chapters\/\S+|mini-docker|docker)\s/.test(part);
    const found = HARM.find(([, pattern]) =>
      pattern.test(inBox ? part.replace(/.*?(?=>\s*\/)|.*/, '') : part),
    );
    if (found !== undefined) return found[0];
  }
  return undefined;
}

const files = globSync('{chapters,exercises}/*/*.md', { cwd: repository })
  .concat(globSync('{docs/*,README}.md', { cwd: repository }))
  .sort();

test.each(files)('%s', file => {
  const commands = blocksOf(readFileSync(join(repository, file), 'utf8'))
    .filter(({ language }) => language === 'console')
    .flatMap(({ lines }) => commandsOf(lines))
    .map(({ text }) => text);
  expect(commands.filter(harmOf)).toEqual([]);
});

test.each([
  'rm -rf /etc/hostname /var/log; ls /var/log',
  'cd /tmp && rm -r -f /var/log',
  'echo x > /etc/motd',
  'cat /tmp/x >>/etc/passwd',
  'umount /mnt',
  'mount -t tmpfs none /mnt',
  'mount --bind /tmp/a /srv',
  'pkill sleep',
  'kill -9 $(pgrep -x httpd); wait',
  'pid=$(pgrep -x init)',
  'kill -9 -1',
  'ipcrm --all',
  'nft flush ruleset',
  'hostname web',
  'dd if=/dev/zero of=/dev/sda',
  'sysctl -w kernel.panic=1',
  'true; reboot',
])('%s would do harm', command => {
  expect(harmOf(command)).toBeDefined();
});

test('behind only-in-sandbox everything is allowed, for one command', () => {
  expect(harmOf('only-in-sandbox rm -rf /etc/hostname /var/log; ls /var/log')).toBeUndefined();
  expect(harmOf('only-in-sandbox rm -rf /etc/hostname; rm -rf /var/log')).toBeDefined();
});

test.each([
  'rm -r /tmp/box/images; ls /var/log',
  'touch /tmp/web; mount --bind /proc/$pid/ns/uts /tmp/web',
  "node chapters/08-layers/box.ts sh -c 'rm /bin/vi'",
  'echo 3 > /sys/fs/cgroup/pids/box/hand/pids.max 2> /dev/null',
  'kill $!; pid=$(pgrep -P $! -x sleep)',
])('%s does none', command => {
  expect(harmOf(command)).toBeUndefined();
});
