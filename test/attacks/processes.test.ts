// A program in a container that goes for the host's processes, files, devices and kernel, and for the program that
// started it.

import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Spec } from '../../mini-docker/formats/oci/runtime-spec.ts';
import { call } from '../../mini-docker/linux/call.ts';
import { syscall } from '../../mini-docker/linux/step.ts';
import { keyctlName, kill, mknodat, openat, socket } from '../../mini-docker/linux/syscalls.ts';
import { makedev } from '../../mini-docker/runtime/devices.ts';
import { TestContainers } from '../../mini-docker/runtime/testing/container.ts';
import { hold } from '../support/held-process.ts';
import { answersFrom, attack, confine, placeAttacker } from './attacker.ts';

const containers = new TestContainers();
afterEach(() => containers.deleteAll());
afterAll(() => containers[Symbol.dispose]());

const AT_FDCWD = -100;
const [O_RDONLY, O_RDWR, O_DIRECTORY] = [0, 2, 0o200000];
const S_IFBLK = 0o060000;
const ptrace = syscall('ptrace', { x64: 101, arm64: 117 }, ['int', 'int', 'int', 'int']);
const PTRACE_ATTACH = 16;
const geteuid = syscall('geteuid', { x64: 107, arm64: 175 }, []);

/** The descriptors of a running process. */
function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map(fd => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);
}

/** What `sh -c script` prints in a container as `mini-docker run` makes it. */
async function lines(script: string, change: (spec: Spec) => void = () => {}): Promise<string[]> {
  return containers.lines(script, spec => {
    confine(spec);
    change(spec);
  });
}

describe('the program that starts containers', () => {
  test('is not what /proc/self/exe of a start is, and cannot be written there (CVE-2019-5736)', async () => {
    const node = statSync(process.execPath);
    const starting = containers.start(['/proc/self/exe'], confine);
    const ended = await starting.then(
      container => container.exited,
      () => undefined,
    );
    expect(ended?.code).not.toBe(0);
    const { mtimeMs, size } = statSync(process.execPath);
    expect({ mtimeMs, size }).toEqual({ mtimeMs: node.mtimeMs, size: node.size });
    // The next container starts from an image of its own.
    expect(await lines('echo fine')).toEqual(['fine']);
  });

  test('is not to be seen, read or written from a container when it executes something there', async () => {
    const container = await containers.start(
      [
        'sh',
        '-c',
        // Whoever comes by: its descriptors, its memory, its image.
        `while :; do for p in /proc/[0-9]*; do
           case $p in /proc/1|/proc/$$) continue;; esac
           name=$(readlink $p/exe) && case $name in */busybox) ;; ?*) echo "exe $name";; esac
           for fd in $p/fd/*; do
             to=$(readlink $fd) && case $to in /dev/*|pipe:*|/proc/*|/|'') ;; *) echo "fd $to";; esac
           done
         done; done 2>/dev/null`,
      ],
      confine,
    );
    let seen = '';
    container.stdout!.on('data', data => {
      seen += data;
    });
    for (let count = 0; count < 60; count++) {
      const { process } = containers.spec(['true'], confine);
      const execution = await container.exec({ process, stdin: false });
      await execution.exited;
    }
    expect(seen).toBe('');
    await container.delete();
  });

  test('leaves a program no descriptor but its three, at the start and for exec', async () => {
    for (const terminal of [false, true]) {
      const container = await containers.start(['sleep', '100'], spec => {
        confine(spec);
        spec.process.terminal = terminal;
      });
      const { process } = containers.spec(['sleep', '100'], confine);
      const execution = await container.exec({ process: { ...process, terminal }, stdin: true });
      for (const pid of [container.pid, execution.pid]) {
        const numbers = readdirSync(`/proc/${pid}/fd`).map(Number);
        expect(numbers.sort(), descriptorsOf(pid).join()).toEqual([0, 1, 2]);
        expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
      }
      await container.delete();
    }
  });

  test('has a sealed image, which cannot be opened for writing', async () => {
    const container = await containers.start(['sleep', '100'], confine);
    const monitor = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${container.pid}/status`, 'utf8'))![1]);
    expect(readlinkSync(`/proc/${monitor}/exe`)).toContain('memfd:');
    expect(call({ ...openat(AT_FDCWD, `/proc/${monitor}/exe`, O_RDWR, 0), mayFail: ['*'] })).toBeLessThan(0);
    await container.delete();
  });
});

describe("the host's processes", () => {
  test('cannot be traced, signalled or joined by their numbers', async () => {
    await using victim = await hold();
    const answers = await attack(containers, [
      kill(victim.pid, 9),
      ptrace(PTRACE_ATTACH, victim.pid, 0, 0),
      openat(AT_FDCWD, `/proc/${victim.pid}/ns/mnt`, O_RDONLY, 0),
      openat(AT_FDCWD, `/proc/${victim.pid}/root`, O_RDONLY | O_DIRECTORY, 0),
    ]);
    expect(answers).toEqual(['ESRCH', 'ESRCH', 'ENOENT', 'ENOENT']);
    expect(readFileSync(`/proc/${victim.pid}/status`, 'utf8')).toMatch(/^State:\tS/m);
  });

  test("cannot be traced or looked into with the host's pid namespace, either", async () => {
    await using victim = await hold();
    const answers = await attack(
      containers,
      [
        ptrace(PTRACE_ATTACH, victim.pid, 0, 0),
        openat(AT_FDCWD, `/proc/${victim.pid}/root`, O_RDONLY | O_DIRECTORY, 0),
        openat(AT_FDCWD, `/proc/${process.pid}/fd/0`, O_RDONLY, 0),
        openat(AT_FDCWD, `/proc/${process.pid}/exe`, O_RDWR, 0),
        // What --pid host gives: to see them, and to root to send them signals.
        kill(victim.pid, 0),
      ],
      spec => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
      },
    );
    expect(answers).toEqual(['EPERM', 'EACCES', 'EACCES', 'EACCES', 0]);
  });

  test('keep their keys to themselves', async () => {
    const addKey = syscall('add_key', { x64: 248, arm64: 217 }, ['string', 'string', 'string', 'int', 'int']);
    const keyctl = syscall('keyctl', { x64: 250, arm64: 219 }, ['int', 'int', 'string', 'string', 'int']);
    const [SESSION, SEARCH] = [-3, 10];
    call(keyctlName(1, null));
    call(addKey('user', 'mini-docker-secret', 'secret', 6, SESSION));
    expect(call(keyctl(SEARCH, SESSION, 'user', 'mini-docker-secret', 0))).toBeGreaterThan(0);
    const search = [keyctl(SEARCH, SESSION, 'user', 'mini-docker-secret', 0)];
    expect(await attack(containers, search)).toEqual(['EPERM']);
    // Without the filter, too, and for what is executed.
    const open = (spec: Spec) => {
      confine(spec);
      delete spec.linux.seccomp;
    };
    const container = await containers.start([placeAttacker(containers, search)], open);
    expect(await answersFrom(container.stdout!)).toEqual(['ENOKEY']);
    await container.delete();
    const sleeper = await containers.start(['sleep', '100'], open);
    const { process } = containers.spec([placeAttacker(containers, search)], open);
    const execution = await sleeper.exec({ process, stdin: false });
    expect(await answersFrom(execution.stdout!)).toEqual(['ENOKEY']);
    await sleeper.delete();
  });

  test('get no input from a program that pushes it into its terminal', async () => {
    const TIOCSTI = 0x5412;
    const push = syscall('ioctl', { x64: 16, arm64: 29 }, ['fd', 'int', 'string']);
    const tty = (pid: number | 'self') =>
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[4];
    const program = placeAttacker(containers, [push(0, TIOCSTI, 'x')]);
    const container = await containers.start(['sh', '-c', `${program} > /dev/null; sleep 100`], spec => {
      confine(spec);
      spec.process.terminal = true;
    });
    // Its terminal is of its own devpts, and its session has no other.
    expect(readlinkSync(`/proc/${container.pid}/fd/0`)).toBe('/dev/pts/0');
    expect(tty(container.pid)).not.toBe(tty('self'));
    await container.delete();
    const plain = await containers.start(['sleep', '100'], confine);
    expect(tty(plain.pid)).toBe('0');
    await plain.delete();
  });
});

describe("the machine's kernel and devices", () => {
  test('take no orders from a container', async () => {
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const refused = await lines(
      `for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /proc/sys/vm/drop_caches \
         /proc/sys/fs/binfmt_misc/register /sys/kernel/uevent_helper /proc/irq/0/smp_affinity /proc/bus/pci/00/00.0; do
         (echo evil > $f) 2>/dev/null && echo "wrote $f"
       done
       for f in $(find /sys/fs/cgroup -name release_agent -o -name devices.allow -o -name notify_on_release -o -name cgroup.procs 2>/dev/null); do
         (echo 1 > $f) 2>/dev/null && echo "wrote $f"
       done
       mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo remounted; mount -o remount,rw /proc/sys 2>/dev/null && echo remounted
       umount /proc/sys 2>/dev/null && echo unmounted; umount /proc/keys 2>/dev/null && echo unmounted
       mkdir /tmp/c; mount -t cgroup -o rdma cgroup /tmp/c 2>/dev/null && echo mounted; mount -t proc proc /tmp/c 2>/dev/null && echo mounted
       insmod /bin/busybox 2>/dev/null && echo loaded; reboot -f 2>/dev/null && echo rebooted
       hostname evil 2>/dev/null && echo named; dmesg 2>/dev/null | head -1
       echo end`,
    );
    expect(refused).toEqual(['end']);
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
  });

  test('are not to be had by making a node for them', async () => {
    const disks = readFileSync('/proc/partitions', 'utf8').trim().split('\n').slice(2);
    const [major = 254, minor = 0] = (disks[0] ?? '').trim().split(/\s+/).map(Number);
    const nodes: [string, number, number, number][] = [
      ['/tmp/disk', S_IFBLK, major, minor],
      ['/tmp/mem', 0o020000, 1, 1],
      ['/tmp/kmsg', 0o020000, 1, 11],
      ['/tmp/loop', 0o020000, 10, 237],
    ];
    const steps = nodes.flatMap(([path, type, major, minor]) => [
      mknodat(AT_FDCWD, path, type | 0o600, makedev(major, minor)),
      openat(AT_FDCWD, path, O_RDONLY, 0),
    ]);
    const answers = await attack(containers, steps);
    // Nodes may be made, as with Docker; what is refused is to open them.
    expect(answers.filter((_, index) => index % 2 === 1)).toEqual(nodes.map(() => 'EPERM'));
  });

  test("are not reached by a socket to the hypervisor or into the kernel's ciphers", async () => {
    // These, and the families of networks that no kernel of today has any more.
    const families = [40, 38, 12, 19, 20, 23, 25, 34, 37];
    const answers = await attack(
      containers,
      families.map(family => socket(family, family === 38 ? 5 : 1, 0)),
    );
    expect(answers).toEqual(families.map(() => 'EPERM'));
  });
});

describe('a program that takes all it can get', () => {
  test('forks no more than its limit, and the host goes on', async () => {
    const container = await containers.start(
      ['sh', '-c', '(while :; do sh -c "while :; do sleep 50 & done"; done) & exec sleep 100'],
      spec => {
        confine(spec);
        spec.linux.resources!.pids = { limit: 30 };
      },
    );
    await expect.poll(() => container.processes().length, { timeout: 10_000 }).toBeGreaterThan(10);
    for (let count = 0; count < 20; count++) {
      expect(container.processes().length).toBeLessThanOrEqual(30);
      await sleep(20);
    }
    expect(await lines('echo the host goes on')).toEqual(['the host goes on']);
    const start = Date.now();
    await container.delete();
    expect(Date.now() - start).toBeLessThan(10_000);
  });

  test('opens no more files than its limit', async () => {
    const open = Array.from({ length: 80 }, () => openat(AT_FDCWD, '/', O_RDONLY, 0));
    const answers = await attack(containers, open, spec => {
      spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }];
    });
    expect(answers.filter(answer => answer === 'EMFILE')).toHaveLength(80 - 61);
  });

  test('gets no more memory, and makes no more files in /dev/shm, than they have', async () => {
    const { exit } = await containers.run(
      ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=256M', 'count=1'],
      spec => {
        confine(spec);
        spec.linux.devices!.push({ type: 'c', path: '/dev/zero', major: 1, minor: 5 });
        spec.linux.resources!.memory = { limit: 32 * 1024 * 1024, swap: 32 * 1024 * 1024 };
      },
    );
    expect(exit).toMatchObject({ code: 137, oomKilled: true });
    const text = await lines(
      'i=0; while [ $i -lt 200 ]; do : > /small/$i || break; i=$((i+1)); done 2>/dev/null; ls /small | wc -l',
      spec => {
        spec.mounts.push({
          destination: '/small',
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['nr_inodes=50'],
        });
      },
    );
    expect(Number(text.at(-1))).toBeLessThan(50);
  });
});

test('a set-uid file gives root back, and with no-new-privileges nothing', async () => {
  const program = placeAttacker(containers, [geteuid()]);
  chmodSync(join(containers.layer, program), 0o4755);
  for (const noNewPrivileges of [false, true]) {
    const container = await containers.start([program], spec => {
      confine(spec);
      spec.process.user = { uid: 1000, gid: 1000 };
      spec.process.noNewPrivileges = noNewPrivileges;
    });
    expect(await answersFrom(container.stdout!)).toEqual([noNewPrivileges ? 1000 : 0]);
    await container.delete();
  }
});
