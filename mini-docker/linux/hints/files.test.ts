import { closeSync, mkdirSync, openSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { enterOwnMounts, shell } from '../../../test/support/own-mounts.ts';
import { hintBelow, hintOf } from '../../../test/support/provoke.ts';
import { call } from '../call.ts';
import { AT, IOCTL, O, RESOLVE } from '../constants.ts';
import { openPty } from '../pty.ts';
import { dup3, ioctl, ioctlBuffer, mkdirat, openat, openat2 } from '../syscalls.ts';

beforeAll(enterOwnMounts);

const open = (path: string, flags: number) => hintOf(() => call(openat(AT.FDCWD, path, flags, 0o600)));

function openHow(path: string, resolve: number): string {
  const directory = openSync('/srv', 'r');
  try {
    const how = new Uint8Array(new BigUint64Array([BigInt(O.RDONLY), 0n, BigInt(resolve)]).buffer);
    return hintOf(() => call(openat2(directory, path, how)));
  } finally {
    closeSync(directory);
  }
}

test('a path that leaves the directory it has to stay in', () => {
  shell('mkdir /srv/mnt; mount -t tmpfs x /srv/mnt');
  symlinkSync('/etc/passwd', '/srv/link');
  expect(openHow('../etc', RESOLVE.BENEATH)).toBe(
    'EXDEV: ../etc leads out of the directory that it has to stay in (RESOLVE_BENEATH)',
  );
  expect(openHow('mnt', RESOLVE.NO_XDEV)).toMatch(/EXDEV: mnt leads over a mount point/);
  expect(openHow('link', RESOLVE.NO_SYMLINKS)).toMatch(/ELOOP: there is a symbolic link in link/);
  expect(openHow('/proc/self/fd/0', RESOLVE.NO_MAGICLINKS)).toMatch(/ELOOP: .*link of \/proc that is none/);
});

test('devices on a nodev mount, and in a user namespace', () => {
  shell('mkdir /srv/nodev; mount -t tmpfs -o nodev x /srv/nodev; mknod /srv/nodev/null c 1 3');
  expect(open('/srv/nodev/null', O.RDWR)).toBe(
    'EACCES: device nodes on /srv/nodev cannot be opened: it is mounted nodev',
  );
  expect(
    hintBelow(['unshare', '-Urm'], "call(mknodat(AT.FDCWD, '/mnt/null', S_IF.CHR | 0o666, 259))"),
  ).toMatch(/EPERM: device nodes cannot be made in a user namespace/);
  expect(
    hintBelow(
      ['setpriv', '--bounding-set', '-mknod'],
      "call(mknodat(AT.FDCWD, '/srv/n', S_IF.CHR | 0o666, 259))",
    ),
  ).toMatch(/EPERM: it takes CAP_MKNOD/);
});

test('devices that the cgroup forbids, to open and to make', () => {
  const name = `mini-docker-hints-${process.pid}`;
  const group = `/sys/fs/cgroup/devices/${name}`;
  mkdirSync(group);
  try {
    writeFileSync(`${group}/devices.deny`, 'c 1:5 rwm');
    const inside = ['sh', '-c', `echo $$ >${group}/cgroup.procs && exec "$@"`, 'sh'];
    expect(hintBelow(inside, "call(openat(AT.FDCWD, '/dev/zero', O.RDWR, 0))")).toBe(
      `EPERM: the devices cgroup does not let this process open /dev/zero (devices.list of /${name})`,
    );
    expect(hintBelow(inside, "call(mknodat(AT.FDCWD, '/srv/zero', S_IF.CHR | 0o666, 261))")).toMatch(
      /EPERM: the devices cgroup does not let this process make that device/,
    );
  } finally {
    rmdirSync(group);
  }
});

test('FIFOs, sockets and terminals without a process at the other end', () => {
  shell('mkfifo /srv/fifo');
  expect(open('/srv/fifo', O.WRONLY | O.NONBLOCK)).toBe(
    'ENXIO: no process has the FIFO /srv/fifo open for reading',
  );
  const listen =
    "require('net').createServer().listen('/srv/socket', () => process.kill(process.pid, 'SIGKILL'))";
  shell(`'${process.execPath}' -e "${listen}" 2>/dev/null || true`);
  expect(open('/srv/socket', O.RDWR)).toMatch(/ENXIO: \/srv\/socket is a socket/);
  expect(hintBelow(['setsid', '-w'], "call(openat(AT.FDCWD, '/dev/tty', O.RDWR, 0))")).toBe(
    'ENXIO: this process has no controlling terminal',
  );
});

test('a read-only mount is named', () => {
  shell('mkdir /srv/ro; mount -t tmpfs -o ro layer /srv/ro');
  const name = /EROFS: \/srv\/ro, where it lies, is mounted read-only \(tmpfs layer\)/;
  expect(open('/srv/ro/new', O.WRONLY | O.CREAT)).toMatch(name);
  expect(hintOf(() => call(mkdirat(AT.FDCWD, '/srv/ro/new', 0o755)))).toMatch(name);
});

test('programs in memory that are switched off', () => {
  // vm.memfd_noexec belongs to a pid namespace.
  const below = [
    'unshare',
    '--pid',
    '--fork',
    '--mount-proc',
    'sh',
    '-c',
    'echo 2 >/proc/sys/vm/memfd_noexec; "$@"',
    'sh',
  ];
  expect(hintBelow(below, "call(memfdCreate('x', MFD.CLOEXEC | MFD.EXEC))")).toMatch(
    /EACCES: programs in memory are switched off in this pid namespace \(\/proc\/sys\/vm\/memfd_noexec is 2\)/,
  );
});

test('all descriptors are taken', () => {
  const code = "for (;;) call(openat(AT.FDCWD, '/dev/null', O.RDONLY, 0))";
  expect(hintBelow(['prlimit', '--nofile=80:80'], code)).toBe(
    'EMFILE: this process has all 80 descriptors that it may have (ulimit -n) open',
  );
});

test('the same descriptor twice', () => {
  expect(hintOf(() => call(dup3(1, 1, 0)))).toMatch(/EINVAL: both descriptors are 1: .*FD_CLOEXEC/);
});

test('what is no terminal, and a terminal that is not to be had', () => {
  const fd = openSync('/srv', 'r');
  expect(hintOf(() => call(ioctlBuffer(fd, IOCTL.TIOCGWINSZ, Buffer.alloc(8))))).toBe(
    `ENOTTY: TIOCGWINSZ is for terminals, and descriptor ${fd} is /srv`,
  );
  closeSync(fd);
  const { master, slave } = openPty();
  expect(hintOf(() => call(ioctl(slave, IOCTL.TIOCSCTTY, 0)))).toMatch(
    /EPERM: only the leader of a session.*setsid first/,
  );
  for (const each of [master, slave]) closeSync(each);
  const taken = `
    const open = () => {
      const master = call(openat(AT.FDCWD, '/dev/ptmx', O.RDWR | O.NOCTTY, 0));
      call(ioctlBuffer(master, IOCTL.TIOCSPTLCK, Buffer.alloc(4)));
      return call(ioctl(master, IOCTL.TIOCGPTPEER, O.RDWR | O.NOCTTY));
    };
    call(ioctl(open(), IOCTL.TIOCSCTTY, 0));
    call(ioctl(open(), IOCTL.TIOCSCTTY, 0));`;
  expect(hintBelow(['setsid', '-w'], taken)).toMatch(
    /EPERM: this session has a controlling terminal already/,
  );
});
