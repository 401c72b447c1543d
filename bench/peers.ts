// The contestants: our daemon, Debian's dockerd, podman and runc, with the same busybox root. Each daemon
// has its own network and mount namespaces, and its files in a temporary directory.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const ROOT = resolve(import.meta.dirname, '..');

export interface Peer {
  name: string;
  /** The command and its arguments before `run`. */
  command: string[];
  env: NodeJS.ProcessEnv;
  socket?: string;
  /** Process id of the daemon. */
  pid?: number;
  stop(): Promise<void>;
}

export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

export function temporary(name: string): string {
  return mkdtempSync(join(tmpdir(), `mini-docker-bench-${name}-`));
}

/**
 * Starts a command in its own namespaces, with lo up and a tmpfs for the files usually in /run. The command
 * keeps the child's pid, because nothing forks on the way.
 */
function spawnApart(command: string[], env: NodeJS.ProcessEnv, log: string, runDir: string): ChildProcess {
  mkdirSync(runDir);
  const mounts = `mount --make-rprivate / && mount -t tmpfs -o mode=711 tmpfs ${runDir}`;
  const script = `${mounts} && ip link set lo up && exec ${command.join(' ')} >${log} 2>&1`;
  return spawn('unshare', ['-n', '-m', 'sh', '-c', script], { env, stdio: 'ignore' });
}

async function answers(socket: string, log: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (existsSync(socket)) {
      const { status } = spawnSync('curl', ['-sf', '--unix-socket', socket, 'http://localhost/_ping']);
      if (status === 0) return;
    }
    await pause(100);
  }
  throw new Error(`no daemon at ${socket}:\n${readFileSync(log, 'utf8')}`);
}

async function end(daemon: ChildProcess, directory: string): Promise<void> {
  const ended = new Promise(done => daemon.once('exit', done));
  daemon.kill('SIGTERM');
  await Promise.race([ended, pause(20_000)]);
  // A daemon's mounts end with its mount namespace, which may outlive the daemon by a moment.
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      rmSync(directory, { recursive: true, force: true });
      return;
    } catch {
      await pause(200);
    }
  }
}

export async function miniDocker(): Promise<Peer> {
  const directory = temporary('ours');
  const runDir = join(directory, 'run');
  const env = { ...process.env, MINI_DOCKER_DATA_ROOT: join(directory, 'data'), MINI_DOCKER_RUN_DIR: runDir };
  const program = join(ROOT, 'bin/mini-docker');
  const log = join(directory, 'log');
  // Outside the run directory, which only the daemon sees.
  const socket = join(directory, 'mini-docker.sock');
  const daemon = spawnApart([program, 'daemon', '--host', `unix://${socket}`], env, log, runDir);
  await answers(socket, log);
  return {
    name: 'mini-docker',
    command: [program],
    env: { ...env, DOCKER_HOST: `unix://${socket}` },
    socket,
    pid: daemon.pid!,
    stop: () => end(daemon, directory),
  };
}

export async function docker(root: string): Promise<Peer | undefined> {
  if (!installed('dockerd') || !installed('docker')) return undefined;
  const directory = temporary('docker');
  const socket = join(directory, 'docker.sock');
  const log = join(directory, 'log');
  const daemon = spawnApart(
    [
      'dockerd',
      '--data-root',
      join(directory, 'data'),
      '--exec-root',
      join(directory, 'exec'),
      '-p',
      join(directory, 'pid'),
      '-H',
      `unix://${socket}`,
    ],
    process.env,
    log,
    join(directory, 'exec'),
  );
  await answers(socket, log);
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  execFileSync('sh', ['-c', `tar -C ${root} -c . | docker import - busybox:latest`], {
    env,
    stdio: 'ignore',
  });
  return {
    name: 'docker',
    command: ['docker'],
    env,
    socket,
    pid: daemon.pid!,
    stop: () => end(daemon, directory),
  };
}

export function podman(root: string): Peer | undefined {
  if (!installed('podman')) return undefined;
  const directory = temporary('podman');
  const options = [
    '--root',
    join(directory, 'root'),
    '--runroot',
    join(directory, 'run'),
    '--cgroup-manager',
    'cgroupfs',
  ];
  const command = ['podman', ...options];
  // podman's own defaults are higher than an unprivileged machine may allow.
  const configuration = join(directory, 'containers.conf');
  writeFileSync(configuration, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');
  execFileSync('sh', ['-c', `tar -C ${root} -c . | ${command.join(' ')} import - busybox:latest`], {
    stdio: 'ignore',
  });
  return {
    name: 'podman',
    command,
    env: { ...process.env, CONTAINERS_CONF: configuration },
    async stop() {
      spawnSync('umount', [join(directory, 'root/overlay')], { stdio: 'ignore' });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A bundle whose process is `true`. */
export function runcBundle(root: string): string | undefined {
  if (!installed('runc')) return undefined;
  const directory = temporary('runc');
  execFileSync('runc', ['spec'], { cwd: directory });
  const file = join(directory, 'config.json');
  const spec = JSON.parse(readFileSync(file, 'utf8'));
  spec.process.terminal = false;
  spec.process.args = ['true'];
  spec.root.path = root;
  writeFileSync(file, JSON.stringify(spec));
  return directory;
}

/** A root filesystem that contains only busybox. */
export function busyboxRoot(): string {
  const root = temporary('root');
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(root, name));
  const busybox = join(ROOT, 'node_modules/busybox-static/bin/busybox');
  execFileSync('sh', [
    '-c',
    `cp ${busybox} ${root}/bin/busybox && for a in $(${busybox} --list); do [ $a = busybox ] || ln -s busybox ${root}/bin/$a; done`,
  ]);
  return root;
}
