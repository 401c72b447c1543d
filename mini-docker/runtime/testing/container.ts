// Containers with a busybox root for the runtime's tests, made without image store and engine.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Process, Spec } from '../../formats/oci/runtime-spec.ts';
import type { Container, CreateOptions, Exit } from '../container.ts';
import { createRuntime } from '../runtime.ts';

export const DEFAULT_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_KILL',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_NET_BIND_SERVICE',
];
const busybox = join(
  dirname(createRequire(import.meta.url).resolve('busybox-static/package.json')),
  'bin/busybox',
);
const runtime = createRuntime();
let number = 0;

/** A temporary directory and a parent cgroup for a test file; `using` removes both. */
export class TestContainers implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'mini-docker-runtime-'));
  readonly cgroupsPath = `/mini-docker-test-${process.pid}`;
  readonly layer = join(this.directory, 'layer');

  readonly #made: Container[] = [];

  constructor() {
    // The root of a user namespace is another user here, and must be able to pass.
    chmodSync(this.directory, 0o711);
    for (const name of ['bin', 'etc', 'tmp']) mkdirSync(join(this.layer, name), { recursive: true });
    copyFileSync(busybox, join(this.layer, 'bin/busybox'));
    const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
    for (const applet of applets) {
      if (applet !== 'busybox') symlinkSync('busybox', join(this.layer, 'bin', applet));
    }
  }

  /** @param change edits the spec for the test */
  spec(args: string[], change: (spec: Spec) => void = () => {}): Spec {
    const capabilities = DEFAULT_CAPABILITIES;
    const process: Process = {
      cwd: '/',
      env: ['PATH=/bin', 'TERM=xterm'],
      args,
      user: { uid: 0, gid: 0 },
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        inheritable: [],
        ambient: [],
      },
    };
    const hardened = ['nosuid', 'nodev', 'noexec'];
    const spec: Spec = {
      ociVersion: '1.2.0',
      hostname: 'inside',
      process,
      root: { path: '' },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc', options: hardened },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
        },
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...hardened, 'ro'] },
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...hardened, 'ro'] },
      ],
      linux: {
        namespaces: (['pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'] as const).map(type => ({ type })),
        cgroupsPath: '',
        devices: [{ type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o666 }],
        maskedPaths: ['/proc/kcore', '/proc/acpi', '/proc/keys', '/proc/does-not-exist'],
        readonlyPaths: ['/proc/sys', '/proc/bus'],
      },
    };
    change(spec);
    return spec;
  }

  options(spec: Spec, extra: Partial<CreateOptions> = {}): CreateOptions {
    const id = (++number).toString(16).padStart(64, '0');
    const directory = join(this.directory, id.slice(-8));
    for (const name of ['upper', 'work']) mkdirSync(join(directory, name), { recursive: true });
    spec.root.path = join(directory, 'rootfs');
    spec.linux.cgroupsPath ||= `${this.cgroupsPath}/${id.slice(-8)}`;
    return {
      id,
      directory,
      spec,
      rootfs: {
        lowerdirs: [this.layer],
        upperdir: join(directory, 'upper'),
        workdir: join(directory, 'work'),
      },
      stdin: false,
      ...extra,
    };
  }

  async create(spec: Spec, extra?: Partial<CreateOptions>): Promise<Container> {
    const container = await runtime.create(this.options(spec, extra));
    this.#made.push(container);
    return container;
  }

  /** Call it after every test, even a failed one. */
  async deleteAll(): Promise<void> {
    for (const container of this.#made.splice(0)) await container.delete();
  }

  /** Creates and starts a container; the caller deletes it. */
  async start(
    args: string[],
    change?: (spec: Spec) => void,
    extra?: Partial<CreateOptions>,
  ): Promise<Container> {
    const container = await this.create(this.spec(args, change), extra);
    await container.start().catch(async error => {
      await container.delete();
      throw error;
    });
    return container;
  }

  /** Runs a container until it exits. */
  async run(
    args: string[],
    change?: (spec: Spec) => void,
    extra?: Partial<CreateOptions>,
  ): Promise<{ exit: Exit; stdout: string; stderr: string }> {
    const container = await this.start(args, change, extra);
    const [stdout, stderr, exit] = await Promise.all([
      textOf(container.stdout),
      textOf(container.stderr),
      container.exited,
    ]);
    await container.delete();
    return { exit, stdout, stderr };
  }

  /** Runs `sh -c script` and returns the lines of its output. */
  async lines(
    script: string,
    change?: (spec: Spec) => void,
    extra?: Partial<CreateOptions>,
  ): Promise<string[]> {
    const { stdout, stderr } = await this.run(['sh', '-c', script], change, extra);
    return `${stdout}${stderr}`.trimEnd().split('\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function textOf(stream: Readable | undefined): Promise<string> {
  if (stream === undefined) return '';
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
