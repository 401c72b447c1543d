// What a sandbox promises to the machine, and to those who experiment in it.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { chapters } from '../../learn/course.ts';
import { repository } from '../../learn/repository.ts';
import { capture } from '../../learn/sandbox/capture.ts';
import { disks as ownDisks } from '../../learn/sandbox/disks.ts';
import { COURSE_GROUP, hierarchies } from '../../learn/sandbox/groups.ts';
import { Sandbox } from '../../learn/sandbox/sandbox.ts';
import { namespaceInode } from '../../mini-docker/linux/proc/namespaces.ts';

const learn = join(repository, 'bin/learn');

const OWN_SETTINGS = ['kernel/hostname', 'kernel/shmmax', 'net/ipv4/ip_forward', 'fs/mqueue/msg_max'];
const SHARED_SETTINGS = [
  'kernel/core_pattern',
  'kernel/panic',
  'vm/swappiness',
  'fs/file-max',
  'kernel/hung_task_warnings',
];
/** Mounts another procfs, writes settings back as they were read there, and prints those for which that is allowed. */
const rewriteSettings = (procfs: string): string => `
  mkdir -p ${procfs}; mountpoint -q ${procfs} || mount -t proc proc ${procfs}
  for name in ${[...OWN_SETTINGS, ...SHARED_SETTINGS].join(' ')}; do
    value=$(cat ${procfs}/sys/$name); sh -c "echo '$value' > ${procfs}/sys/$name" 2>/dev/null && echo $name
  done; true`;

describe('a sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await Sandbox.create();
  });
  afterAll(() => sandbox.close());
  const output = async (script: string): Promise<string> =>
    (await capture(sandbox, ['sh', '-c', `exec 2>&1; ${script}`])).stdout.trim();

  test('has namespaces of its own, and process 1', async () => {
    for (const name of ['mnt', 'pid', 'net', 'uts', 'ipc'] as const) {
      expect(namespaceInode(sandbox.pid, name), name).not.toBe(namespaceInode('self', name));
    }
    expect(await output('hostname; cat /proc/1/comm')).toBe('sandbox\nsandbox');
  });

  test('changes and removals in it do not reach the machine', async () => {
    expect(
      await output('rm -rf /etc /usr/share/doc && echo new > /usr/new && ls -d /etc /usr/new'),
    ).toContain('/usr/new');
    expect(existsSync('/etc/passwd')).toBe(true);
    expect(existsSync('/usr/new')).toBe(false);
  });

  test('its mounts are shared among themselves, as on most machines, and not with the machine', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length;
    expect(await output('mount -t tmpfs none /mnt; grep " /mnt " /proc/self/mountinfo')).toMatch(/shared:/);
    expect(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length).toBe(before);
  });

  test('shows no socket of a daemon of the machine', async () => {
    expect(await output('find /run -type s')).toBe('');
  });

  test('may not read the machine’s disks, whatever shows them', async context => {
    const devices = await output(
      'mkdir -p /tmp/dev && mount -t devtmpfs x /tmp/dev && find /tmp/dev -type b',
    );
    const disks = devices.split('\n').filter(line => line.startsWith('/tmp/dev/'));
    if (disks.length === 0 || sandbox.withoutGroups !== undefined) context.skip('no disks to be seen');
    // Another test may have a disk that is made to be read (escapes.test.ts).
    const open = (disk: string): boolean => ownDisks().some(minor => disk.endsWith(`/loop${minor}`));
    await vi.waitFor(async () => {
      for (const disk of disks.filter(each => !open(each)))
        expect(await output(`head -c 1 ${disk} | wc -c`), disk).toMatch(/not permitted/);
    }, 10_000);
  });

  test('may not end the machine, load modules or write to the log of its kernel', async () => {
    const bounding = BigInt(`0x${(await output('grep CapBnd /proc/self/status')).split(/\s+/)[1]}`);
    for (const capability of [16, 17, 22, 34]) expect((bounding >> BigInt(capability)) & 1n).toBe(0n);
    expect(await output('mknod /kmsg c 1 11; true >> /kmsg')).toMatch(/not permitted/i);
  });

  test('may change settings of its own namespaces, and not those of the kernel, whatever shows them', async () => {
    expect((await output(rewriteSettings('/tmp/proc'))).split('\n')).toEqual(OWN_SETTINGS);
    expect(await output('echo x > /sys/kernel/mm/transparent_hugepage/enabled')).toMatch(/read-only/i);
  });

  test('the same where no version 2 of control groups is mounted', () => {
    const inSandbox = `
      const [{ Sandbox }, { capture }] = await Promise.all(['sandbox', 'capture'].map(name =>
        import('${join(repository, 'learn/sandbox')}/' + name + '.ts')));
      await using sandbox = await Sandbox.create();
      process.stdout.write((await capture(sandbox, ['sh', '-c', process.argv[1]])).stdout);`;
    const script = `grep ' cgroup2 ' /proc/mounts | while read -r _ place _; do umount "$place"; done; exec "$@"`;
    const command = [process.execPath, '--input-type=module', '-e', inSandbox, rewriteSettings('/tmp/proc')];
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], {
      encoding: 'utf8',
    });
    expect({ written: stdout.trim().split('\n'), stderr }).toEqual({ written: OWN_SETTINGS, stderr: '' });
  });

  test('a sandbox is made and gone in less than half a second', async () => {
    const times: number[] = [];
    for (let count = 0; count < 5; count++) {
      const begun = performance.now();
      const another = await Sandbox.create();
      await another.close();
      times.push(performance.now() - begun);
    }
    // The machine may do something else meanwhile.
    expect(Math.min(...times)).toBeLessThan(500);
  });
});

test('all processes and control groups of a sandbox end with it, frozen ones too', async () => {
  const sandbox = await Sandbox.create();
  const script = `
    setsid sleep 7321 & mkdir -p /sys/fs/cgroup/freezer/box /sys/fs/cgroup/box
    sleep 7322 & echo $! > /sys/fs/cgroup/freezer/box/cgroup.procs && echo FROZEN > /sys/fs/cgroup/freezer/box/freezer.state
    echo $! > /sys/fs/cgroup/box/cgroup.procs && echo 1 > /sys/fs/cgroup/box/cgroup.freeze
    true`;
  await capture(sandbox, ['sh', '-c', `${script} 2>/dev/null`]);
  const [group] = hierarchies().flatMap(({ controllers }) => sandbox.group(controllers[0]!) ?? []);
  expect(sandbox.processes().length).toBeGreaterThanOrEqual(2);
  await sandbox.close();
  expect(sandbox.processes()).toEqual([]);
  if (group !== undefined) expect(existsSync(group)).toBe(false);
});

test('several commands make and remove their groups at once, and none loses the parent that they share', async context => {
  if (process.geteuid?.() !== 0) context.skip('wants root');
  const script = `const { makeGroups, removeGroups } = await import('${repository}/learn/sandbox/groups.ts');
    const { freshGroupName } = await import('${repository}/learn/sandbox/maker.ts');
    for (let n = 0; n < 25; n++)
      await removeGroups(makeGroups(freshGroupName(), { memory: 2 ** 28, processes: 50 }));`;
  const makers = [1, 2, 3].map(() =>
    spawn(process.execPath, ['-e', script], { cwd: repository, stdio: 'pipe' }),
  );
  const told = makers.map(maker => {
    let text = '';
    maker.stderr.on('data', chunk => {
      text += chunk;
    });
    return once(maker, 'close').then(([code]) => `${code}${text}`);
  });
  expect(await Promise.all(told)).toEqual(['0', '0', '0']);
}, 60_000);

test('a sandbox ends with the program that made it, even if that is killed', async () => {
  // A length of sleep that no other run has.
  const command = `sleep ${10_000_000 + process.pid}`;
  const child = spawn(learn, ['shell', 'sh', '-c', `echo ready; ${command}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const sleeping = (): number => spawnSync('pgrep', ['-fx', command]).status!;
  await vi.waitFor(() => expect(sleeping()).toBe(0), 10_000);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await vi.waitFor(() => expect(sleeping()).toBe(1), 10_000);
  // Whatever command comes next takes along what it could not.
  const { stdout, status } = spawnSync(learn, ['diff', '2'], { encoding: 'utf8' });
  expect(status).toBe(0);
  const left = hierarchies().flatMap(
    ({ root }) => quietly(() => readdirSync(join(root, COURSE_GROUP))) ?? [],
  );
  expect(
    left.filter(name => name.startsWith(`${child.pid}-`)),
    stdout,
  ).toEqual([]);
});

test.each(['SIGHUP', 'SIGTERM'] as const)(
  '%s to learn shell leaves no control group behind',
  async signal => {
    const child = spawn(learn, ['shell', 'sh', '-c', 'echo ready; trap "" HUP TERM; sleep 7323'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const groups = (): string[] =>
      hierarchies()
        .flatMap(({ root }) => quietly(() => readdirSync(join(root, COURSE_GROUP))) ?? [])
        .filter(name => name.startsWith(`${child.pid}-`));
    if (process.geteuid?.() === 0) expect(groups()).not.toEqual([]);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(groups()).toEqual([]);
  },
);

test.each([
  ['SIGINT', 'watch'],
  ['SIGKILL', 'check'],
] as const)(
  '%s in the middle of learn %s leaves nothing that outlives the next command',
  async (signal, command) => {
    const work = mkdtempSync(join(tmpdir(), 'ended-'));
    try {
      // It freezes itself, so that it does not even die of SIGKILL.
      const hangs = `import { spawn } from 'node:child_process';
        spawn('sh', ['-c', 'cd /sys/fs/cgroup; [ ! -d freezer ] || cd freezer; mkdir box; cd box; echo $$ > cgroup.procs; echo FROZEN > freezer.state || echo 1 > cgroup.freeze']);
        setInterval(() => {}, 1000);`;
      mkdirSync(join(work, '00-machine'));
      for (const file of ['same.ts', 'strangers.ts']) writeFileSync(join(work, '00-machine', file), hangs);
      const child = spawn(learn, [command, '0'], {
        env: { ...process.env, LEARN_WORK: work },
        stdio: 'ignore',
      });
      const groups = (): string[] =>
        hierarchies()
          .flatMap(
            ({ root }) => quietly(() => globSync(`${COURSE_GROUP}/${child.pid}-*/**`, { cwd: root })) ?? [],
          )
          .sort();
      const isInTheMiddle = (): void => expect(groups().join(' ')).toContain('/box');
      await vi.waitFor(process.geteuid?.() === 0 ? isInTheMiddle : () => {}, 40_000);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      if (signal === 'SIGINT') expect(groups()).toEqual([]);
      expect(spawnSync(learn, ['diff', '2']).status).toBe(0);
      expect(groups()).toEqual([]);
    } finally {
      rmSync(work, { recursive: true });
    }
  },
  60_000,
);

describe('in learn shell', () => {
  test('a program can wait for what a pipe brings later', async () => {
    const child = spawn(learn, ['shell', 'sh', '-c', 'echo ready; cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text;
      if (text === 'ready\n') child.stdin.end('later\n');
    }
    expect(said).toBe('ready\nlater\n');
  });

  const shell = (script: string) =>
    spawnSync(learn, ['shell', 'sh', '-c', script], { encoding: 'utf8', timeout: 60_000 });

  test('learn and mini-docker are there, and containers run', context => {
    if (process.geteuid?.() !== 0) context.skip('wants root');
    const { stdout } = shell(
      'learn | grep -c "^  . *[0-9]"; mini-docker run --rm --memory 64m --hostname box busybox hostname',
    );
    expect(stdout).toBe(`${chapters().length}\nbox\n`);
  });

  test('each mini-docker command of the chapters works, typed at a terminal', {
    tags: 'further',
  }, context => {
    if (process.geteuid?.() !== 0) context.skip('wants root');
    const readmes = globSync('chapters/*/README.md', { cwd: repository });
    const texts = readmes.map(file => readFileSync(join(repository, file), 'utf8')).join('\n');
    const commands = new Set(
      [...texts.matchAll(/`(mini-docker \w[^`]*)`/g)].map(([, command]) => command!.replace(/\s+/g, ' ')),
    );
    // A name alone (`mini-docker exec`) is no command yet.
    const whole = [...commands].filter(command => !/^mini-docker \w+( -\S+)*$/.test(command));
    expect(whole.length).toBeGreaterThan(8);
    const script = whole.map(each => `script -qec '${each}' /dev/null >/tmp/out </dev/null || cat /tmp/out`);
    // A pager would wait for a key.
    expect(shell(['export PAGER=cat', ...script].join('\n'))).toMatchObject({ stdout: '', status: 0 });
  });

  test('work/ is the real folder, and nothing else is', () => {
    const work = mkdtempSync(join(tmpdir(), 'work-'));
    try {
      const script = 'echo mine > "$LEARN_WORK/file"; echo lost > "$LEARN_WORK/../lost"';
      const environment = { ...process.env, LEARN_WORK: work };
      spawnSync(learn, ['shell', 'sh', '-c', script], { env: environment });
      expect(readFileSync(join(work, 'file'), 'utf8')).toBe('mine\n');
      expect(existsSync(join(work, '../lost'))).toBe(false);
    } finally {
      rmSync(work, { recursive: true });
    }
  });

  test('only-in-sandbox runs a command, which it does nowhere else', () => {
    expect(shell('only-in-sandbox echo here').stdout).toBe('here\n');
    expect(spawnSync('only-in-sandbox', ['true']).error).toMatchObject({ code: 'ENOENT' });
  });

  test('an upper layer on the sandbox’s own overlay is refused with the reason and the remedy', context => {
    if (process.geteuid?.() !== 0) context.skip('wants root');
    const { stderr } = shell(
      'MINI_DOCKER_DATA_ROOT=/srv/data MINI_DOCKER_RUN_DIR=/run/other mini-docker run --rm busybox true',
    );
    expect(stderr).toMatch(/upper is itself on overlayfs.*put upperdir and workdir .*a tmpfs/);
  });
});

test('learn shell passes streams and the exit code through', () => {
  const { stdout, status } = spawnSync(learn, ['shell', 'sh', '-c', 'cat; exit 7'], {
    input: 'hello\n',
    encoding: 'utf8',
  });
  expect({ stdout, status }).toEqual({ stdout: 'hello\n', status: 7 });
});

test('a user without root gets a sandbox, and is root in it', async context => {
  const directory = mkdtempSync(join(tmpdir(), 'rootless-'));
  try {
    const script = join(directory, 'look.sh');
    writeFileSync(script, 'id -u; hostname; mount -t tmpfs none /mnt && touch /mnt/x && echo mounted\n');
    const wrapper = ['--reuid', '1234', '--regid', '1234', '--clear-groups'];
    const seen = spawnSync(
      'setpriv',
      [...wrapper, learn, 'shell', 'sh', '-c', readFileSync(script, 'utf8')],
      { encoding: 'utf8' },
    );
    if (/EPERM|EUSERS|ENOSPC/.test(seen.stderr)) context.skip(`no user namespaces here: ${seen.stderr}`);
    expect(seen.stderr).toContain('only root may make control groups');
    expect(seen.stdout).toBe('0\nsandbox\nmounted\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

test('in a container, where /etc/hosts is a mount, there are sandboxes and it can be removed there', context => {
  if (process.geteuid?.() !== 0) context.skip('wants root');
  const hosts = join(mkdtempSync(join(tmpdir(), 'sandbox-')), 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost mounted\n');
  const inside = 'cat /etc/hosts && rm /etc/hosts && test ! -e /etc/hosts && echo removed';
  const script = `mount --make-rprivate / && mount --bind ${hosts} /etc/hosts && ${learn} shell sh -c '${inside}'`;
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' });
  rmSync(join(hosts, '..'), { recursive: true });
  expect(stdout, stderr).toBe('127.0.0.1 localhost mounted\nremoved\n');
});
