// Units for systemd, and the protocol between systemd and the daemon: sockets that are open already, and notices.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemdUnits } from '../mini-docker/formats/systemd-units.ts';
import { MAIN, NODE } from './support/daemon.ts';
import { engineClient, eventually } from './support/engine-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'system-test-'));
const ours = (...words: string[]) => execFileSync(NODE, [MAIN, ...words], { encoding: 'utf8' });
afterAll(() => rmSync(scratch, { recursive: true }));

const options = {
  command: '/opt/a b%/mini-docker',
  documentation: '/opt/x y/README.md',
  user: false,
  group: 'docker',
  socket: '/run/x.sock',
};

test('paths with blanks and percent signs are quoted', () => {
  const units = systemdUnits(options);
  expect(units['mini-docker.service']).toContain('ExecStart="/opt/a b%%/mini-docker" daemon --host fd://\n');
  expect(units['mini-docker.service']).toContain('Documentation=file:///opt/x%%20y/README.md\n');
  expect(units['mini-docker.socket']).toContain('SocketGroup=docker\n');
});

test("variables that say where its files are, are the unit's, too", () => {
  const printed = execFileSync(NODE, [MAIN, 'system', 'install', '--print'], {
    encoding: 'utf8',
    env: { ...process.env, MINI_DOCKER_DATA_ROOT: '/big %d "$x"', MINI_DOCKER_RUN_DIR: '/run/other' },
  });
  expect(printed).toContain('Environment="MINI_DOCKER_DATA_ROOT=/big %%d \\"$x\\""\n');
  expect(printed).toContain('ListenStream=/run/other/mini-docker.sock\n');
});

test("a user's daemon has a unit without a socket", () => {
  const units = systemdUnits({ ...options, user: true });
  expect(Object.keys(units)).toEqual(['mini-docker.service']);
  expect(units['mini-docker.service']).toContain('daemon\n');
  expect(units['mini-docker.service']).toContain('WantedBy=default.target');
});

test('system install writes units that start this very command, and system uninstall removes them', () => {
  ours('system', 'install', '--root', scratch);
  const directory = join(scratch, 'etc/systemd/system');
  expect(readdirSync(directory).sort()).toEqual(['mini-docker.service', 'mini-docker.socket']);
  const [, command] = /^ExecStart=(\S+) daemon/m.exec(
    readFileSync(join(directory, 'mini-docker.service'), 'utf8'),
  )!;
  expect(command).toBe(resolve(import.meta.dirname, '../bin/mini-docker'));
  ours('system', 'uninstall', '--root', scratch);
  expect(readdirSync(directory)).toEqual([]);
});

test.skipIf(existsSync('/run/systemd/system'))(
  'where there is no systemd, it says so and installs nothing',
  () => {
    expect(() => ours('system', 'install')).toThrow('systemd does not run here');
  },
);

/** Words for what systemd would do, in a machine whose /run and /etc/systemd are this script's own. */
const underSystemd = (script: string) =>
  spawnSync('unshare', ['--mount', '--net', 'sh', '-euc', `${PRETEND}\n${script}`], {
    encoding: 'utf8',
    env: { ...process.env, NODE, MAIN, SCRATCH: scratch, STATE: mkdtempSync(join(scratch, 'state-')) },
  });

const PRETEND = `
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /etc/systemd
mount -t tmpfs tmpfs /etc/systemd
printf '%s\\n' '#!/bin/sh' 'echo "$*" >>"$STATE/words"' '[ "$1" != is-system-running ] || cat "$STATE/system"' '[ "$1" != enable ] || [ ! -e "$STATE/refuse" ] || { echo failed >&2; exit 1; }' >"$STATE/systemctl"
printf '%s\\n' '#!/bin/sh' 'echo "noise"; echo "mini-docker: mtu must be a number"' >"$STATE/journalctl"
chmod 755 "$STATE"/*ctl
export PATH="$STATE:$PATH" MINI_DOCKER_DATA_ROOT="$STATE/data"
system() { "$NODE" "$MAIN" system "$@"; }`;

test('system install takes over from a daemon that a command started', () => {
  const { stdout, stderr, status } = underSystemd(`
    "$NODE" "$MAIN" create --name kept busybox true >/dev/null
    system install
    flock --nonblock "$STATE/data/daemon.lock" true || echo it still runs
    cat "$STATE/words"`);
  expect(stderr).toMatch(/^mini-docker: started its daemon .*\n$/);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^stopped the daemon with pid \d+; its containers go on$/m);
  expect(stdout).not.toContain('it still runs');
  expect(stdout).toContain('daemon-reload\nenable --now mini-docker.service mini-docker.socket\n');
});

test('a daemon that systemd cannot start leaves no unit behind, and its own last words say why', () => {
  const { stdout, stderr, status } = underSystemd(`
    touch "$STATE/refuse"
    system install || echo "code $?"
    ls /etc/systemd/system`);
  expect(stderr).toBe('mini-docker: the daemon does not start: mtu must be a number\n');
  expect(stdout).toMatch(/removed .*mini-docker\.socket\nremoved .*mini-docker\.service\ncode 1\n$/);
  expect(status).toBe(0);
});

test.each([
  ['stopping', 'exited', 'running'],
  ['running', 'running', 'running'],
])(
  'where systemd says that the machine is %s, containers are %s after the daemon, and %s with the next',
  (state, then, last) => {
    const { stdout, stderr } = underSystemd(`
    echo ${state} >"$STATE/system"
    ip link set lo up
    md() { "$NODE" "$MAIN" "$@"; }
    NOTIFY_SOCKET=@nobody "$NODE" "$MAIN" daemon >"$STATE/log" 2>&1 &
    until grep -q ready "$STATE/log"; do sleep 0.1; done
    id=$(MINI_DOCKER_RUN_DIR=/run/mini-docker md run -d --restart always --network none busybox sleep 1000)
    pid=$(md inspect -f '{{.State.Pid}}' $id)
    kill $!
    wait $! || true
    if [ -e /proc/$pid/ns/pid ] && readlink /proc/$pid/ns/pid >/dev/null; then echo running; else echo exited; fi
    md inspect -f '{{.State.Status}}' $id
    md rm -f $id >/dev/null
    kill $(cat "$STATE/data/daemon.lock")`);
    expect(stdout, stderr).toBe(`${then}\n${last}\n`);
  },
);

test('the daemon serves the socket that it was given, says that it is ready, and how many containers run', async () => {
  const directory = mkdtempSync(join(scratch, 'given-'));
  const socket = join(directory, 'given.sock');
  const notices = join(directory, 'notices');
  // socat writes each datagram that arrives to a file.
  const receiver = spawn('python3', ['-c', RECEIVE, join(directory, 'notify.sock'), notices], {
    stdio: 'ignore',
  });
  await eventually(async () => existsSync(join(directory, 'notify.sock')), Boolean);
  const daemon = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      'sh',
      '-c',
      'ip link set lo up; exec "$0" "$@"',
      'python3',
      '-c',
      GIVE,
      socket,
      NODE,
      MAIN,
      'daemon',
      '--host',
      'fd://',
      '--data-root',
      join(directory, 'data'),
      '--run-dir',
      join(directory, 'run'),
    ],
    {
      env: { ...process.env, NOTIFY_SOCKET: join(directory, 'notify.sock') },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  try {
    const said = async () => (existsSync(notices) ? readFileSync(notices, 'utf8') : '');
    await eventually(said, text => text.includes('READY=1') && text.includes('STATUS=0 containers run'));
    expect(await engineClient({ socket }).json('GET', '/info')).toMatchObject({ Containers: 0 });
    daemon.kill('SIGTERM');
    await eventually(said, text => text.includes('STOPPING=1'));
    await ended(daemon);
    // It belongs to systemd.
    expect(existsSync(socket)).toBe(true);
  } finally {
    daemon.kill('SIGKILL');
    await ended(daemon);
    receiver.kill();
    await ended(receiver);
  }
});

test('fd:// without systemd is a clear error', () => {
  const start = () =>
    execFileSync(
      NODE,
      [MAIN, 'daemon', '-H', 'fd://', '--data-root', join(scratch, 'd'), '--run-dir', join(scratch, 'r')],
      {
        stdio: 'pipe',
      },
    );
  expect(start).toThrow('no sockets were found for fd://');
});

const RECEIVE = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
with open(sys.argv[2], 'ab', buffering=0) as notices:
    while True:
        notices.write(receiver.recv(4096) + b'\\n')
`;

/** Gives the daemon a listening socket, as systemd does: only the daemon accepts its connections. sd_listen_fds(3) */
const GIVE = `
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
os.execv(sys.argv[2], sys.argv[2:])
`;

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise(resolve => child.once('exit', resolve));
