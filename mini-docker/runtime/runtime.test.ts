import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { CAP, SIG } from '../linux/constants.ts';
import { decodeMountinfo, readMountinfo } from '../linux/proc/mountinfo.ts';
import { namespaceInode } from '../linux/proc/namespaces.ts';
import { readStatus } from '../linux/proc/status.ts';
import { FD } from './descriptors.ts';
import { createRuntime } from './runtime.ts';
import { DEFAULT_CAPABILITIES, TestContainers, textOf } from './testing/container.ts';

const containers = new TestContainers();
afterEach(() => containers.deleteAll());
afterAll(() => containers[Symbol.dispose]());

function path(...parts: string[]): string {
  return join(containers.directory, ...parts);
}

test('what the daemon keeps open for a container leaves the low numbers to the next one', async () => {
  const low = () => readdirSync('/proc/self/fd').filter(number => Number(number) < 256);
  const first = await containers.start(['sleep', '100']);
  await first.delete();
  await first.unmounted;
  const before = low();
  const running = await Promise.all([1, 2, 3].map(() => containers.start(['sleep', '100'])));
  await expect.poll(low).toEqual(before);
  for (const each of running) await each.delete();
});

describe('namespaces', () => {
  test('a container has six namespaces of its own, seen from outside', async () => {
    const container = await containers.start(['sleep', '100']);
    for (const name of ['pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup'] as const) {
      expect(namespaceInode(container.pid, name), name).not.toBe(namespaceInode('self', name));
    }
    for (const name of ['user', 'time'] as const) {
      expect(namespaceInode(container.pid, name), name).toBe(namespaceInode('self', name));
    }
    expect(readStatus(container.pid)?.nspid.at(-1)).toBe(1);
    await container.delete();
  });

  test("a container cannot see the host's processes", async () => {
    const lines = await containers.lines('ls /proc | grep -c "^[0-9]"; echo $$');
    expect(lines.at(-1)).toBe('1');
    expect(Number(lines[0])).toBeLessThan(6);
  });

  test("a namespace that is not asked for is the host's", async () => {
    const container = await containers.start(['sleep', '100'], spec => {
      spec.linux.namespaces = [{ type: 'mount' }];
      delete spec.hostname;
      spec.mounts = spec.mounts.filter(({ type }) => type !== 'sysfs' && type !== 'cgroup');
    });
    for (const name of ['pid', 'ipc', 'uts', 'net', 'cgroup'] as const) {
      expect(namespaceInode(container.pid, name), name).toBe(namespaceInode('self', name));
    }
    await container.delete();
  });

  test("another container's namespaces are joined", async () => {
    const first = await containers.start(['sleep', '100']);
    const joined = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts' } as const;
    const second = await containers.start(['sleep', '100'], spec => {
      delete spec.hostname;
      spec.linux.namespaces = [
        { type: 'mount' },
        { type: 'cgroup' },
        ...Object.entries(joined).map(([type, name]) => ({
          type: type as keyof typeof joined,
          path: `/proc/${first.pid}/ns/${name}`,
        })),
      ];
    });
    for (const name of Object.values(joined)) {
      expect(namespaceInode(second.pid, name), name).toBe(namespaceInode(first.pid, name));
    }
    expect(namespaceInode(second.pid, 'mnt')).not.toBe(namespaceInode(first.pid, 'mnt'));
    await second.delete();
    await first.delete();
  });

  test('a time namespace has clocks of its own, in the container and in what is executed in it', async () => {
    const container = await containers.start(['sleep', '100'], spec => {
      spec.linux.namespaces.push({ type: 'time' });
      spec.linux.timeOffsets = { boottime: { secs: 1_000_000, nanosecs: 0 } };
    });
    const hostUptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    expect(namespaceInode(container.pid, 'time')).not.toBe(namespaceInode('self', 'time'));
    const process = { ...containers.spec(['cat', '/proc/uptime']).process };
    const execution = await container.exec({ process, stdin: false });
    const uptime = Number((await textOf(execution.stdout)).split(' ')[0]);
    expect(uptime - hostUptime).toBeGreaterThan(999_000);
    await container.delete();
  });
});

describe('user namespaces', () => {
  test('root inside is an unprivileged user outside, who owns the files that it writes', async () => {
    const mapping = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
    const spec = containers.spec(
      [
        'sh',
        '-c',
        'id -u; stat -c %u /bin/busybox; echo mine > /tmp/file; rm /bin/ls; hostname; echo done; sleep 100',
      ],
      spec => {
        spec.linux.namespaces.push({ type: 'user' });
        spec.linux.uidMappings = mapping;
        spec.linux.gidMappings = mapping;
      },
    );
    const options = containers.options(spec);
    const container = await createRuntime().create(options);
    await container.start();
    let output = '';
    container.stdout!.on('data', data => {
      output += data;
    });
    await expect.poll(() => output, { timeout: 10_000 }).toContain('done');
    expect(output).toBe('0\n0\ninside\ndone\n');
    expect(readStatus(container.pid)?.uid.real).toBe(200_000);
    expect(namespaceInode(container.pid, 'user')).not.toBe(namespaceInode('self', 'user'));
    expect(statSync(`/proc/${container.pid}/root/tmp/file`).uid).toBe(200_000);
    // On disk it is as in an image.
    expect(statSync(join(options.rootfs.upperdir, 'tmp/file')).uid).toBe(0);
    await container.delete();
  });
});

describe('root filesystem', () => {
  test('the host sees no mount of ours while a container runs', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const container = await containers.start(['sleep', '100']);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
    await container.delete();
  });

  test("nothing of the host's tree is left in the container's", async () => {
    const container = await containers.start(['sleep', '100']);
    const mounts = readMountinfo(container.pid)!;
    expect(mounts.filter(({ mountPoint }) => mountPoint === '/').map(({ type }) => type)).toEqual([
      'overlay',
    ]);
    const types = new Set(mounts.map(({ type }) => type));
    expect([...types].sort()).toEqual(
      expect.arrayContaining(['devpts', 'overlay', 'proc', 'sysfs', 'tmpfs']),
    );
    expect(types.has('ext4') || types.has('xfs') || types.has('btrfs')).toBe(false);
    await container.delete();
  });

  test('its writes are in its own layer, and neither in the image nor in another container', async () => {
    const options = containers.options(containers.spec(['sh', '-c', 'echo mine > /tmp/file; rm /bin/ls']));
    const container = await createRuntime().create(options);
    await container.start();
    expect((await container.exited).code).toBe(0);
    await container.delete();
    expect(readFileSync(join(options.rootfs.upperdir, 'tmp/file'), 'utf8')).toBe('mine\n');
    expect(existsSync(join(containers.layer, 'tmp/file'))).toBe(false);
    expect(existsSync(join(containers.layer, 'bin/ls'))).toBe(true);
    expect(await containers.lines('ls /tmp | wc -l')).toEqual(['0']);
  });

  test('its exit does not wait until its layers are unmounted; its deletion tells when they are', async () => {
    const container = await containers.start(['sleep', '100']);
    const directory = join(containers.directory, container.id.slice(-8));
    const monitor = Number(readStatus(container.pid)!.ppid);
    await expect.poll(() => readlinkSync(`/proc/${monitor}/fd/${FD.root}`)).toBe('/');
    container.kill(SIG.KILL);
    const layers = `lowerdir=${directory}/rootfs,upperdir=${directory}/upper,workdir=${directory}/work,index=on`;
    // With an index, overlay refuses an upper layer that another one has.
    const mountAgain = () =>
      spawnSync('unshare', ['-m', 'mount', '-t', 'overlay', '-o', layers, 'again', directory], {
        encoding: 'utf8',
      }).stderr;
    await container.exited;
    expect(mountAgain()).toContain('already mounted or mount point busy');
    await container.delete();
    await container.unmounted;
    expect(mountAgain()).toBe('');
  });

  test('a read-only root refuses writes, its mounts do not', async () => {
    const lines = await containers.lines(
      'echo x > /file || echo refused; echo y > /dev/shm-file && echo written',
      spec => {
        spec.root.readonly = true;
      },
    );
    expect(lines).toEqual(expect.arrayContaining(['refused', 'written']));
  });

  test('bind mounts of files and directories, read-only and not, at places that the image lacks', async () => {
    mkdirSync(path('shared'), { recursive: true });
    writeFileSync(path('shared/file'), 'from the host\n');
    const lines = await containers.lines(
      'cat /a/b/c/file; cat /etc/deep/one; echo x > /a/b/c/new || echo refused; echo inside > /rw/written',
      spec => {
        spec.mounts.push(
          {
            destination: '/a/b/c',
            type: 'bind',
            source: path('shared'),
            options: ['rbind', 'ro', 'rprivate'],
          },
          {
            destination: '/etc/deep/one',
            type: 'bind',
            source: path('shared/file'),
            options: ['rbind', 'rprivate'],
          },
          { destination: '/rw', type: 'bind', source: path('shared'), options: ['rbind', 'rprivate'] },
        );
      },
    );
    expect(lines.slice(0, 2)).toEqual(['from the host', 'from the host']);
    expect(lines).toContain('refused');
    expect(readFileSync(path('shared/written'), 'utf8')).toBe('inside\n');
    expect(existsSync(path('shared/new'))).toBe(false);
  });

  test("a symbolic link in the image cannot lead a mount to the host's files", async () => {
    const evil = path('evil-layer');
    const victim = path('victim');
    mkdirSync(evil, { recursive: true });
    mkdirSync(victim, { recursive: true });
    symlinkSync(victim, join(evil, 'absolute'));
    symlinkSync(`../../../../../../..${victim}`, join(evil, 'relative'));
    for (const name of ['absolute', 'relative']) {
      const spec = containers.spec(['sh', '-c', `echo in > /${name}/file; readlink /proc/self/cwd`], spec => {
        spec.mounts.push({ destination: `/${name}/below`, type: 'tmpfs', source: 'tmpfs', options: [] });
      });
      const options = containers.options(spec);
      options.rootfs.lowerdirs.unshift(evil);
      // The link points to what the container lacks: it is refused, or made inside of it, and never outside.
      await createRuntime()
        .create(options)
        .then(
          async container => {
            await container.start();
            await container.delete();
          },
          error => expect(error).toMatchObject({ name: 'SyscallError' }),
        );
      expect(readdirSync(victim), name).toEqual([]);
    }
  });

  test('a magic link in the image is refused', async () => {
    const evil = path('magic-layer');
    mkdirSync(evil, { recursive: true });
    symlinkSync('/proc/self/fd', join(evil, 'data'));
    const { rootfs } = containers.options(containers.spec(['true']));
    rootfs.lowerdirs.unshift(evil);
    const start = containers.start(
      ['true'],
      spec => {
        spec.mounts.push({ destination: '/data/5/x', type: 'tmpfs', source: 'tmpfs', options: [] });
      },
      { rootfs },
    );
    await expect(start).rejects.toMatchObject({ name: 'SyscallError', syscall: 'openat2' });
  });

  test('many layers: more than mount(2) takes in one page of options', async () => {
    const many = Array.from({ length: 140 }, (_, index) => {
      const layer = path('many', `layer-with-a-rather-long-name-${index}`);
      mkdirSync(layer, { recursive: true });
      writeFileSync(join(layer, `from-${index}`), '');
      return layer;
    });
    const options = containers.options(containers.spec(['sh', '-c', 'ls / | grep -c from-']));
    options.rootfs.lowerdirs = [...many, containers.layer];
    const container = await createRuntime().create(options);
    await container.start();
    expect(await textOf(container.stdout)).toBe('140\n');
    await container.delete();
  });

  test('masked paths are empty and read-only paths refuse writes', async () => {
    const lines = await containers.lines(
      'wc -c < /proc/keys; ls /proc/acpi | wc -l; echo 1 > /proc/sys/vm/swappiness || echo refused',
    );
    expect(lines.slice(0, 2)).toEqual(['0', '0']);
    expect(lines).toContain('refused');
  });

  test('one empty file system lies over all masked directories', async () => {
    const masked = ['/proc/acpi', '/proc/fs', '/sys/firmware', '/sys/module'];
    const container = await containers.start(['sleep', '100'], spec => {
      spec.linux.maskedPaths = masked;
    });
    const covers = readMountinfo(container.pid)!.filter(({ mountPoint }) => masked.includes(mountPoint));
    expect(covers.length).toBeGreaterThan(1);
    expect(new Set(covers.map(({ device }) => device)).size).toBe(1);
    expect(covers.every(({ options }) => options.includes('ro'))).toBe(true);
    await container.delete();
  });
});

describe('control groups', () => {
  test('the program is in its group before it runs', async () => {
    const lines = await containers.lines('cat /proc/self/cgroup', spec => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
    });
    expect(lines.some(line => line.includes(containers.cgroupsPath))).toBe(true);
  });

  test('a memory bomb is killed, and it is told that it was for want of memory', async () => {
    const { exit } = await containers.run(['sh', '-c', 'a=x; while true; do a=$a$a; done'], spec => {
      spec.linux.resources = { memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 } };
    });
    expect(exit).toMatchObject({ code: 137, signal: 9, oomKilled: true });
  });

  test('SIGKILL to a paused container and its deletion do not hang', async () => {
    const container = await containers.start(['sleep', '100']);
    await container.pause();
    expect(readFileSync(`/proc/${container.pid}/stat`, 'utf8')).toMatch(/\) [DS] /);
    container.kill(9);
    await container.delete();
    expect((await container.exited).code).toBe(137);
    expect(existsSync(`/proc/${container.pid}`)).toBe(false);
  });

  test('its view of /sys/fs/cgroup is read-only', async () => {
    const lines = await containers.lines('ls /sys/fs/cgroup | wc -l; mkdir /sys/fs/cgroup/x || echo refused');
    expect(Number(lines[0])).toBeGreaterThan(0);
    expect(lines).toContain('refused');
  });
});

describe('the process', () => {
  test('user, groups, capabilities, limits and umask are as the spec says, seen from outside', async () => {
    const container = await containers.start(['sleep', '100'], ({ process }) => {
      process.user = { uid: 1000, gid: 1001, additionalGids: [7, 8], umask: 0o027 };
      process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
      process.oomScoreAdj = 300;
      process.noNewPrivileges = true;
      process.cwd = '/made/for/it';
    });
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^Gid:\t1001\t1001\t1001\t1001$/m);
    expect(status).toMatch(/^Groups:\t7 8 $/m);
    expect(status).toMatch(/^Umask:\t0027$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapEff:\t0000000000000000$/m);
    expect(readFileSync(`/proc/${container.pid}/limits`, 'utf8')).toMatch(/Max open files\s+100\s+200/);
    expect(readFileSync(`/proc/${container.pid}/oom_score_adj`, 'utf8')).toBe('300\n');
    expect(readlinkSync(`/proc/${container.pid}/cwd`)).toBe('/made/for/it');
    await container.delete();
  });

  test("a program of another user does not own the machine's /dev/null", async () => {
    const before = statSync('/dev/null');
    await containers.run(['true'], spec => {
      spec.process.user = { uid: 12_345, gid: 12_345 };
    });
    expect(statSync('/dev/null')).toMatchObject({ uid: before.uid, gid: before.gid });
    expect(before.uid).toBe(0);
  });

  test('root in the container has the capabilities of the spec and no others', async () => {
    const container = await containers.start(['sleep', '100']);
    const mask = DEFAULT_CAPABILITIES.reduce(
      (sum, name) => sum | (1n << BigInt(CAP[name.slice(4) as keyof typeof CAP])),
      0n,
    );
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    const set = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s(\\w+)`, 'm').exec(status)?.[1]}`);
    expect([set('CapEff'), set('CapPrm'), set('CapBnd'), set('CapInh'), set('CapAmb')]).toEqual([
      mask,
      mask,
      mask,
      0n,
      0n,
    ]);
    await container.delete();
  });

  test('the program inherits descriptors 0, 1 and 2 and no other', async () => {
    const container = await containers.start(['sleep', '100']);
    expect(readdirSync(`/proc/${container.pid}/fd`).sort()).toEqual(['0', '1', '2']);
    await container.delete();
  });

  test('kernel parameters of its namespaces are set', async () => {
    expect(
      await containers.lines('cat /proc/sys/net/ipv4/ip_unprivileged_port_start', spec => {
        spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '7' };
      }),
    ).toEqual(['7']);
  });

  test.each([
    [['sh', '-c', 'exit 42'], { code: 42 }],
    [['sh', '-c', 'kill -TERM $$; sleep 1'], { code: 0 }], // pid 1 ignores what it has no handler for
  ])('%j ends with %j', async (args, exit) => {
    expect((await containers.run(args)).exit).toMatchObject(exit);
  });

  test('standard input reaches the program, and its end too', async () => {
    const container = await containers.start(['cat'], undefined, { stdin: true });
    container.stdin!.end('to the program\n');
    expect(await textOf(container.stdout)).toBe('to the program\n');
    expect((await container.exited).code).toBe(0);
    await container.delete();
  });

  test('a terminal has the size that was asked for, its own name, and can be resized', async () => {
    const container = await containers.start(
      ['sh', '-c', 'tty; stty size; read x; stty size'],
      ({ process }) => {
        process.terminal = true;
        process.consoleSize = { height: 31, width: 97 };
      },
    );
    let output = '';
    container.stdout!.on('data', data => {
      output += data;
    });
    await expect.poll(() => output, { timeout: 10_000 }).toContain('31 97');
    expect(output).toContain('/dev/pts/0');
    container.resize({ rows: 40, columns: 120 });
    container.stdin!.write('\n');
    await container.exited;
    await expect.poll(() => output, { timeout: 10_000 }).toContain('40 120');
    await container.delete();
  });

  // Mounts are descriptors first, and the terminal has a number among them.
  test("a terminal takes no mount's place, however many there are", async () => {
    const files = [
      'cpuinfo',
      'meminfo',
      'uptime',
      'version',
      'loadavg',
      'stat',
      'vmstat',
      'cmdline',
      'swaps',
    ];
    const masked = files.map(file => `/proc/${file}`);
    const container = await containers.start(['sleep', '100'], ({ process, mounts, linux }) => {
      process.terminal = true;
      mounts.splice(0, mounts.length, ...mounts.filter(({ type }) => type !== 'sysfs' && type !== 'cgroup'));
      linux.maskedPaths = masked;
    });
    const there = readMountinfo(container.pid)!.map(({ mountPoint }) => mountPoint);
    expect(there).toEqual(expect.arrayContaining(masked));
    await container.delete();
  });
});

describe('--init', () => {
  test('pid 1 reaps orphans, and the program has pid 2', async () => {
    const container = await containers.start(
      ['sh', '-c', 'sh -c "sleep 0.05 & sleep 0.05 & exit 0"; echo $$; sleep 0.3; ps -o stat'],
      undefined,
      { init: true },
    );
    const output = await textOf(container.stdout);
    expect(output).toMatch(/^2\n/);
    expect(output).not.toMatch(/^Z/m);
    await container.delete();
  });

  test.each([
    ['exit 7', 7],
    ['exit 0', 0],
    ['kill -TERM $$; sleep 9', 143],
    ['kill -SEGV $$; sleep 9', 139],
  ])('the exit code of "%s" is passed on', async (script, code) => {
    expect((await containers.run(['sh', '-c', script], undefined, { init: true })).exit.code).toBe(code);
  });

  test('signals are passed on', async () => {
    const container = await containers.start(
      ['sh', '-c', 'trap "echo heard; exit 5" USR1; echo up; while :; do sleep 0.05; done'],
      undefined,
      { init: true },
    );
    let output = '';
    container.stdout!.on('data', data => {
      output += data;
    });
    await expect.poll(() => output, { timeout: 10_000 }).toContain('up');
    container.kill(10);
    expect((await container.exited).code).toBe(5);
    expect(output).toContain('heard');
    await container.delete();
  });

  test.each([
    [['no-such-program'], 127],
    [['/etc'], 126],
  ])('%j cannot be executed: %i', async (args, code) => {
    expect((await containers.run(args, undefined, { init: true })).exit.code).toBe(code);
  });
});

describe('exec', () => {
  test('joins all namespaces and the control group, and ends with its own exit code', async () => {
    const container = await containers.start(['sleep', '100']);
    const { process } = containers.spec([
      'sh',
      '-c',
      'hostname; readlink /proc/self/ns/pid; sleep 0.3; exit 9',
    ]);
    const execution = await container.exec({ process, stdin: false });
    for (const name of ['pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup'] as const) {
      expect(namespaceInode(execution.pid, name), name).toBe(namespaceInode(container.pid, name));
    }
    expect(readFileSync(`/proc/${execution.pid}/cgroup`, 'utf8')).toBe(
      readFileSync(`/proc/${container.pid}/cgroup`, 'utf8'),
    );
    expect(container.processes()).toContain(execution.pid);
    expect((await textOf(execution.stdout)).startsWith('inside\n')).toBe(true);
    expect(await execution.exited).toMatchObject({ code: 9 });
    await container.delete();
  });

  test('has a terminal, standard input, a user and a working directory of its own', async () => {
    const container = await containers.start(['sleep', '100']);
    const plain: Spec['process'] = {
      ...containers.spec(['sh', '-c', 'id -u; pwd; cat']).process,
      cwd: '/tmp',
      user: { uid: 33, gid: 33 },
    };
    const first = await container.exec({ process: plain, stdin: true });
    first.stdin!.end('typed');
    expect(await textOf(first.stdout)).toBe('33\n/tmp\ntyped');
    const second = await container.exec({
      process: {
        ...plain,
        args: ['sh', '-c', 'tty; stty size'],
        terminal: true,
        consoleSize: { height: 11, width: 22 },
      },
      stdin: false,
    });
    expect(await textOf(second.stdout)).toBe('/dev/pts/0\r\n11 22\r\n');
    await container.delete();
  });

  test.each([
    ['no-such-program', 'ENOENT'],
    ['/etc', 'EACCES'],
  ])('%s cannot be executed: %s, and nothing is left of the attempt', async (program, code) => {
    const container = await containers.start(['sleep', '100']);
    const { process } = containers.spec([program]);
    await expect(container.exec({ process, stdin: false })).rejects.toMatchObject({
      syscall: 'execve',
      code,
    });
    expect(container.processes()).toEqual([container.pid]);
    await container.delete();
  });
});

describe('failures', () => {
  function cgroupsLeft(): string[] {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter(line => / - cgroup2? /.test(line))
      .map(line => `${line.split(' ')[4]}${containers.cgroupsPath}`)
      .filter(directory => existsSync(directory));
  }

  test.each([
    ['no-such-program', 'ENOENT'],
    ['/no/such/program', 'ENOENT'],
    ['/etc', 'EACCES'],
  ])('a program that cannot be executed (%s) is a SyscallError %s from start', async (program, code) => {
    const container = await containers.create(containers.spec([program]));
    await expect(container.start()).rejects.toMatchObject({ name: 'SyscallError', syscall: 'execve', code });
    await container.delete();
    expect(existsSync(`/proc/${container.pid}`)).toBe(false);
    expect(cgroupsLeft()).toEqual([]);
  });

  test('a step that fails leaves no process, no cgroup and no mount', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const start = containers.start(['true'], spec => {
      spec.mounts.push({ destination: '/x', type: 'bind', source: '/does/not/exist', options: ['rbind'] });
    });
    await expect(start).rejects.toThrow(/\/does\/not\/exist/);
    expect(cgroupsLeft()).toEqual([]);
    expect(decodeMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))).toEqual(decodeMountinfo(before));
  });

  test('a step that fails is named, however late the engine looks at the process', async () => {
    for (let round = 0; round < 20; round++) {
      const start = containers.start(['true'], spec => {
        spec.mounts.push({ destination: '/x', type: 'bind', source: '/does/not/exist', options: ['rbind'] });
      });
      const busy = setInterval(() => {
        for (const end = performance.now() + round; performance.now() < end; );
      });
      await expect(start).rejects.toThrow(/\/does\/not\/exist/);
      clearInterval(busy);
    }
    expect(cgroupsLeft()).toEqual([]);
  });

  test('a caller that fails between create and start leaves nothing', async () => {
    const failing = containers.create(containers.spec(['true']), {
      onNamespaces: async () => {
        throw new Error('no network today');
      },
    });
    await expect(failing).rejects.toThrow('no network today');
    expect(cgroupsLeft()).toEqual([]);
  });
});
