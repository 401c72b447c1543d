// What the runtime specification has beyond what every container uses, looked at from inside and outside.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Spec } from '../formats/oci/runtime-spec.ts';
import { openPty } from '../linux/pty.ts';
import { PtyStream } from '../linux/pty-stream.ts';
import { exampleSpec } from './example-spec.ts';
import { Bundle, has, OURS } from './testing/bundle.ts';

let bundle: Bundle;
beforeAll(() => {
  bundle = new Bundle(OURS);
});
afterAll(() => bundle[Symbol.asyncDispose]());

/** The output of a container's shell. */
function inside(script: string, change?: (spec: Spec) => void): string[] {
  bundle.configure(script, change);
  const { code, stdout, stderr } = bundle.call('run', 'c');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim().split('\n');
}

/** The error of a `run` that is refused, which leaves nothing. */
function refused(change: (spec: Spec) => void): string {
  bundle.configure('true', change);
  const { code, stderr } = bundle.call('run', 'c');
  expect(code).toBe(1);
  expect(bundle.call('list', '-q').stdout).toBe('');
  expect(existsSync(`/sys/fs/cgroup/memory${bundle.cgroup}/c`)).toBe(false);
  return stderr;
}

describe('hooks', () => {
  const log = (): string => join(bundle.directory, 'hooks');
  const onHost = (kind: string, more = '') => ({
    path: '/bin/sh',
    args: [
      'sh',
      '-c',
      `{ echo "${kind} $(readlink /proc/self/ns/mnt) $WHO"; cat /dev/stdin; echo; } >>${log()}; ${more}`,
    ],
    env: ['WHO=hook', 'PATH=/usr/bin:/bin'],
  });

  test('of all six kinds run in their order, in their namespaces, with the state on standard input', () => {
    bundle.configure('echo program >/tmp/log; cat /tmp/log /tmp/started', spec => {
      spec.root.readonly = false;
      // More than a pipe holds.
      spec.annotations = { color: 'blue'.repeat(20_000) };
      spec.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
      spec.hooks = {
        prestart: [onHost('prestart')],
        createRuntime: [onHost('createRuntime')],
        createContainer: [onHost('createContainer')],
        startContainer: [
          { path: '/bin/sh', args: ['sh', '-c', 'cat >/tmp/started; hostname >>/tmp/started'] },
        ],
        poststart: [onHost('poststart')],
        poststop: [onHost('poststop')],
      };
    });
    const { stdout, code } = bundle.call('run', 'hooked');
    expect(code).toBe(0);

    const lines = readFileSync(log(), 'utf8').trim().split('\n');
    const own = spawnSync('readlink', ['/proc/self/ns/mnt'], { encoding: 'utf8' }).stdout.trim();
    const seen = [0, 2, 4, 6, 8].map(index => {
      const [kind, namespace, who] = lines[index]!.split(' ');
      const { status, id, annotations } = JSON.parse(lines[index + 1]!);
      return { kind, isOwn: namespace === own, who, status, id, annotations };
    });
    const common = { who: 'hook', id: 'hooked', annotations: { color: 'blue'.repeat(20_000) } };
    expect(seen).toEqual([
      { kind: 'prestart', isOwn: true, status: 'creating', ...common },
      { kind: 'createRuntime', isOwn: true, status: 'creating', ...common },
      { kind: 'createContainer', isOwn: false, status: 'creating', ...common },
      { kind: 'poststart', isOwn: true, status: 'running', ...common },
      { kind: 'poststop', isOwn: true, status: 'stopped', ...common },
    ]);
    expect(JSON.parse(stdout.split('\n')[1]!.replace(/bundle$/, ''))).toMatchObject({
      status: 'created',
      pid: expect.any(Number),
    });
    expect(stdout).toMatch(/^program\n.*bundle\n$/s);
  });

  test('one that fails, or takes longer than its time, ends the container', () => {
    const failing = (spec: Spec): void => {
      spec.hooks = {
        createRuntime: [onHost('fails', 'echo why >&2; exit 3')],
        poststop: [onHost('afterwards')],
      };
    };
    expect(refused(failing)).toMatch(/error running createRuntime hook #0: exit status 3.*stderr: why/);
    expect(readFileSync(log(), 'utf8')).toContain('afterwards');
    const late =
      (kind: 'createRuntime' | 'createContainer') =>
      (spec: Spec): void => {
        spec.hooks = { [kind]: [{ path: '/bin/sleep', args: ['sleep', '100'], timeout: 1 }] };
      };
    expect(refused(late('createRuntime'))).toContain('past specified timeout of 1.0s');
    expect(refused(late('createContainer'))).toContain('past specified timeout of 1.0s');
  });
});

test('scheduling, priorities, personality, clocks and the domain are as the spec says', () => {
  const lines = inside(
    'cut -d" " -f19,41 /proc/1/stat; ionice -p 1; uname -m; cat /proc/sys/kernel/domainname; cut -d. -f1 /proc/uptime; ulimit -n',
    spec => {
      spec.domainname = 'example.org';
      spec.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 6 };
      spec.process.scheduler = { policy: 'SCHED_BATCH', nice: 5 };
      spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 88 }];
      spec.linux.personality = { domain: 'LINUX32' };
      spec.linux.namespaces.push({ type: 'time' });
      spec.linux.timeOffsets = { boottime: { secs: 10_000_000, nanosecs: 0 } };
    },
  );
  expect(lines).toEqual([
    '5 3',
    'best-effort: prio 6',
    'i686',
    'example.org',
    expect.stringMatching(/^1\d{7}$/),
    '77',
  ]);
});

describe('users', () => {
  test('root of a new user namespace is an unprivileged user outside', () => {
    chmodSync(bundle.directory, 0o755);
    bundle.configure(['sleep', '1000'], spec => {
      spec.linux.namespaces.push({ type: 'user' });
      spec.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
      spec.linux.gidMappings = [{ containerID: 0, hostID: 200_000, size: 1000 }];
    });
    expect(bundle.create('mapped')).toMatchObject({ code: 0, stderr: '' });
    bundle.call('start', 'mapped');
    const { pid } = JSON.parse(bundle.call('state', 'mapped').stdout);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t100000\t/m);
    expect(status).toMatch(/^Gid:\t200000\t/m);
    expect(bundle.call('exec', '--user', '5:6', 'mapped', 'id').stdout).toBe('uid=5 gid=6\n');
    // Masks and devices work without mknod.
    expect(bundle.call('exec', 'mapped', 'sh', '-c', 'echo >/dev/null; cat /proc/keys').code).toBe(0);
    expect(bundle.call('delete', '--force', 'mapped').code).toBe(0);
  });

  test('an ordinary user has containers of one id, without control groups and limits', () => {
    chmodSync(bundle.directory, 0o777);
    const user = { uid: 65_534, gid: 65_534 };
    const rootless = (change: (spec: Spec) => void = () => {}): void =>
      bundle.configure('id', spec => {
        Object.assign(spec, exampleSpec(true), { ociVersion: '1.0.2', process: spec.process });
        spec.linux.uidMappings = [{ containerID: 0, hostID: user.uid, size: 1 }];
        spec.linux.gidMappings = [{ containerID: 0, hostID: user.gid, size: 1 }];
        change(spec);
      });
    rootless();
    const own = ['--root', 'state-of-user', 'run', 'c'];
    expect(bundle.callWith(user, ...own)).toEqual({ code: 0, stdout: 'uid=0 gid=0\n', stderr: '' });
    rootless(spec => {
      spec.linux.resources = { memory: { limit: 1 << 20 } };
    });
    expect(bundle.callWith(user, ...own).stderr).toContain('cannot set the memory limit');
  });
});

describe('mounts', () => {
  test('an idmapped mount shows files with other owners', () => {
    const directory = join(bundle.directory, 'owned');
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), '');
    chownSync(join(directory, 'file'), 5, 6);
    const map = [{ containerID: 0, hostID: 1000, size: 100 }];
    const lines = inside('stat -c "%u %g" /owned/file', spec => {
      spec.mounts.push({
        destination: '/owned',
        type: 'bind',
        source: directory,
        options: ['bind', 'idmap'],
        uidMappings: map,
        gidMappings: map,
      });
    });
    expect(lines).toEqual(['1005 1006']);
  });

  test('attributes with an r reach the mounts below', () => {
    const script = `grep " /tree" /proc/self/mountinfo | cut -d" " -f5,6`;
    const tree = join(bundle.directory, 'tree');
    mkdirSync(join(tree, 'below'), { recursive: true });
    bundle.configure(script, spec => {
      spec.mounts.push({
        destination: '/tree',
        type: 'bind',
        source: tree,
        options: ['rbind', 'rro', 'rnosuid', 'rnoatime'],
      });
    });
    const mounted = `mount -t tmpfs below ${tree}/below; exec ${OURS} --root state run c`;
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', mounted], {
      cwd: bundle.directory,
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual(['/tree ro,nosuid,noatime', '/tree/below ro,nosuid,noatime']);
  });

  test('links in the root lead no mount, no device and no new directory to the host', () => {
    const outside = join(bundle.directory, 'outside');
    const root = join(bundle.directory, 'rootfs');
    mkdirSync(outside);
    for (const [name, target] of [
      ['up', '../../outside'],
      ['absolute', outside],
    ] as const)
      symlinkSync(target, join(root, name));
    const places = ['/up/new', '/absolute/new'];
    const lines = inside(`ls -d ${places.join(' ')} | cat; readlink -f /up/zero`, spec => {
      spec.root.readonly = false;
      for (const destination of places) spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
      spec.linux.devices = [{ type: 'c', path: '/up/zero', major: 1, minor: 5 }];
    });
    expect(lines.sort()).toEqual(['/absolute/new', '/outside/zero', '/up/new']);
    expect(readdirSync(outside)).toEqual([]);
  });

  test('tmpcopyup fills a tmpfs with what it covers', () => {
    writeFileSync(join(bundle.directory, 'rootfs/etc/passwd'), 'me:x:0:0::/home/me:/bin/sh\n');
    const lines = inside('cat /etc/passwd; echo more >/etc/more; stat -f -c %T /etc; echo $HOME', spec => {
      spec.mounts.push({
        destination: '/etc',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['tmpcopyup', 'size=1m', 'nosuid'],
      });
    });
    expect(lines).toEqual(['me:x:0:0::/home/me:/bin/sh', 'tmpfs', '/home/me']);
    expect(readdirSync(join(bundle.directory, 'rootfs/etc'))).toEqual(['passwd']);
  });
});

test('what this machine or this runtime lacks is refused by name, and never ignored', () => {
  const { linux } = { linux: (spec: Spec) => spec.linux as unknown as Record<string, unknown> };
  const resources = (value: object) => (spec: Spec) => Object.assign(spec.linux.resources!, value);
  const filtering = (rule: object) => (spec: Spec) => {
    const syscalls = [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', ...rule }];
    Object.assign(spec.linux, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls } });
  };
  for (const [change, message] of [
    [(spec: Spec) => Object.assign(linux(spec), { intelRdt: { closID: 'x' } }), 'intelRdt'],
    [(spec: Spec) => Object.assign(spec, { ociVersion: '2.0.0' }), "ociVersion is '2.0.0'"],
    [
      (spec: Spec) => Object.assign(linux(spec), { namespaces: [{ type: 'pid' }] }),
      'needs a mount namespace',
    ],
    [
      (spec: Spec) => Object.assign(linux(spec), { personality: { domain: 'OTHER' } }),
      'unknown personality OTHER',
    ],
    [
      (spec: Spec) => Object.assign(spec.process, { rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }),
      'wrong rlimit value: RLIMIT_X',
    ],
    [
      (spec: Spec) => Object.assign(spec.process, { rlimits: [{ type: 'NOFILE', soft: 1, hard: 1 }] }),
      'wrong rlimit value: NOFILE',
    ],
    [(spec: Spec) => Object.assign(spec.process, { env: ['NAME'] }), 'invalid environment variable'],
    [
      (spec: Spec) => Object.assign(spec.linux, { devices: [{ path: '/dev/x', type: 'x' }] }),
      'invalid device type',
    ],
    [filtering({ action: 'SCMP_ACT_X' }), 'SCMP_ACT_X is not a valid action'],
    [filtering({ args: [{ index: 0, op: 'SCMP_CMP_X', value: 1 }] }), 'SCMP_CMP_X is not a valid operator'],
    [filtering({ args: [{ index: 6, op: 'SCMP_CMP_EQ', value: 1 }] }), 'kill compares argument 6'],
    [resources({ devices: [{ allow: true, type: 'x' }] }), 'invalid cgroup device type'],
    [
      (spec: Spec) => Object.assign(spec.process, { scheduler: { policy: 'SCHED_X' } }),
      'unknown scheduler policy',
    ],
    [
      (spec: Spec) => Object.assign(linux(spec), { sysctl: { 'vm.swappiness': '1' } }),
      'not in a separate kernel namespace',
    ],
    [resources({ hugepageLimits: [{ pageSize: '64GB', limit: 1 }] }), 'huge pages'],
    [resources({ rdma: { nosuch: { hcaHandles: 1 } } }), 'RDMA'],
  ] as const)
    expect(refused(change as (spec: Spec) => void)).toContain(message);
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers'))
    expect(refused(resources({ unified: { 'memory.high': '1' } }))).toContain('it is for cgroup v2');
}, 120_000);

test.skipIf(!has('python3'))(
  'a supervisor gets the system calls that the filter asks about, and answers them',
  async () => {
    const socket = join(bundle.directory, 'supervisor');
    const supervisor = spawn('python3', [join(import.meta.dirname, 'testing/supervisor.py'), socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = new Promise<string>(done => supervisor.stdout.on('data', data => done(String(data))));
    await expect.poll(() => existsSync(socket)).toBe(true);
    bundle.configure('mkdir /tmp/x', spec => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
        listenerPath: socket,
        listenerMetadata: 'for the supervisor',
      };
    });
    const { code, stderr } = bundle.call('run', 'watched');
    expect(code).toBe(1);
    // ENOMEDIUM, which no file system gives
    expect(stderr).toContain('No medium found');
    expect(JSON.parse(await said)).toMatchObject({
      fds: ['seccompFd'],
      metadata: 'for the supervisor',
      state: { id: 'watched', status: 'creating' },
    });
    supervisor.kill();
  },
);

test('a container whose creator was killed is seen and deleted, and its processes end', async () => {
  const marker = join(bundle.directory, 'marker');
  bundle.configure(['sleep', '1000'], spec => {
    spec.hooks = {
      createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat >${marker}; exec sleep 1000`] }],
    };
  });
  const creator = spawn(OURS, ['--root', 'state', 'create', 'orphan'], {
    cwd: bundle.directory,
    stdio: 'ignore',
  });
  // The whole state is there, not only its beginning.
  const { pid } = await vi.waitFor(() => JSON.parse(readFileSync(marker, 'utf8')), { timeout: 20_000 });
  const hook = spawnSync('pgrep', ['-P', String(creator.pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n');
  creator.kill('SIGKILL');
  await new Promise(done => creator.once('exit', done));

  expect(JSON.parse(bundle.call('state', 'orphan').stdout)).toMatchObject({ id: 'orphan' });
  expect(bundle.call('delete', '--force', 'orphan')).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '').not.toMatch(/ [RSD] /);
  expect(bundle.call('state', 'orphan').code).toBe(1);
  // The hook was its child, not the container's.
  for (const each of hook) if (Number(each) !== pid) process.kill(Number(each), 'SIGKILL');
});

test.each(['checkpoint', 'restore'])('%s is refused with the reason, and the container goes on', name => {
  bundle.configure(['sleep', '1000']);
  expect(bundle.create('c').code).toBe(0);
  for (const args of [
    [name, 'c'],
    [name, '--help'],
  ])
    expect(bundle.call(...args)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no checkpoints'),
    });
  expect(JSON.parse(bundle.call('state', 'c').stdout)).toMatchObject({ status: 'created' });
  bundle.call('delete', '--force', 'c');
});

test('run and exec in the foreground pass a terminal on: size, input, output and exit code', async () => {
  const onTerminal = async (...args: string[]): Promise<{ shown: string; code: unknown }> => {
    const { master, slave } = openPty({ rows: 33, columns: 99 });
    const child = spawn(OURS, ['--root', 'state', ...args], {
      cwd: bundle.directory,
      stdio: [slave, slave, slave],
    });
    closeSync(slave);
    const stream = new PtyStream(master);
    let shown = '';
    stream.on('data', data => {
      shown += data;
      if (shown.endsWith('ready\r\n')) stream.write('typed\n');
    });
    const code = await new Promise(done => child.once('exit', done));
    stream.destroy();
    return { shown: shown.replaceAll('\r\n', '\n'), code };
  };
  const script = 'stty size; tty; echo ready; read x; echo "got $x"; exit 6';
  const expected = {
    shown: expect.stringMatching(/^(33 99\n)\/dev\/pts\/0\nready\ntyped\ngot typed\n$/),
    code: 6,
  };
  bundle.configure(script, spec => {
    spec.process.terminal = true;
  });
  expect(await onTerminal('run', 'c')).toEqual(expected);

  bundle.configure(['sleep', '1000']);
  expect(bundle.create('c').code).toBe(0);
  bundle.call('start', 'c');
  expect(await onTerminal('exec', '--tty', 'c', 'sh', '-c', script)).toEqual(expected);
  bundle.call('delete', '--force', 'c');
});

test('a terminal leaves every mask in its place, however few mounts there are', () => {
  const masked = 'cpuinfo meminfo version uptime stat loadavg filesystems devices cmdline interrupts'.split(
    ' ',
  );
  bundle.configure(`cd /proc; cat ${masked.join(' ')}; exit 4`, spec => {
    spec.process.terminal = true;
    spec.mounts = spec.mounts.filter(({ type }) => type !== 'cgroup');
    spec.linux.maskedPaths = masked.map(name => `/proc/${name}`);
  });
  expect(bundle.call('run', 'c')).toEqual({ code: 4, stdout: '', stderr: '' });
});

test('--preserve-fds passes descriptors, and --console-socket the terminal', async () => {
  bundle.configure('cat <&3; ls -l /proc/self/fd | grep -c rootfs');
  const { stdout } = spawnSync(
    'sh',
    ['-c', `echo passed >file; exec "${OURS}" --root state run --preserve-fds 1 c 3<file`],
    { cwd: bundle.directory, encoding: 'utf8' },
  );
  expect(stdout).toBe('passed\n0\n');

  const path = join(bundle.directory, 'console');
  const server = createServer().listen(path);
  const connected = new Promise(done => server.once('connection', socket => socket.once('data', done)));
  await new Promise(done => server.once('listening', done));
  bundle.configure('tty >/tmp/tty; exec sleep 1000', spec => {
    spec.process.terminal = true;
    spec.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
  });
  const creator = spawn(OURS, ['--root', 'state', 'run', '-d', '--console-socket', path, 't'], {
    cwd: bundle.directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  expect(String(await connected)).toBe('/dev/ptmx');
  expect(await new Promise(done => creator.once('exit', done))).toBe(0);
  server.close();
  bundle.call('delete', '--force', 't');
});
