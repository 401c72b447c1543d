// A bundle with busybox as its root, and the two runtimes that the tests compare.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Spec } from '../../formats/oci/runtime-spec.ts';
import { openCgroup } from '../../runtime/cgroups/create.ts';
import { exampleSpec } from '../example-spec.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const BUSYBOX = join(PROJECT, 'node_modules/.bin/busybox');
const PROGRAMS =
  'sh true sleep cat echo id ls mount ps hostname env stat pwd kill tty grep head readlink stty uname ionice mkdir cut';

export const OURS = join(PROJECT, 'bin/mini-docker-runtime');

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A temporary directory with a root filesystem, a bundle, and the state of one runtime. */
export class Bundle implements AsyncDisposable {
  readonly directory: string;
  readonly cgroup: string;
  readonly runtime: string;

  constructor(runtime: string) {
    this.runtime = runtime;
    this.directory = mkdtempSync(join(tmpdir(), 'mini-docker-oci-'));
    this.cgroup = `/${basename(this.directory)}`;
    const bin = join(this.directory, 'rootfs/bin');
    for (const name of ['bin', 'proc', 'dev', 'sys', 'etc', 'tmp']) {
      mkdirSync(join(this.directory, 'rootfs', name), { recursive: true });
    }
    copyFileSync(BUSYBOX, join(bin, 'busybox'));
    for (const name of PROGRAMS.split(' ')) symlinkSync('busybox', join(bin, name));
    this.configure('true');
  }

  /** Writes config.json: runc's example, with these arguments and changes. */
  configure(args: string[] | string, change: (spec: Spec) => void = () => {}): void {
    const spec = exampleSpec(false) as Spec;
    spec.ociVersion = '1.0.2';
    spec.hostname = 'bundle';
    spec.process.terminal = false;
    spec.process.args = typeof args === 'string' ? ['sh', '-c', args] : args;
    spec.linux.cgroupsPath = `${this.cgroup}/c`;
    change(spec);
    writeFileSync(join(this.directory, 'config.json'), JSON.stringify(spec));
  }

  call(...args: string[]): Answer {
    return this.callWith({}, ...args);
  }

  callWith(options: { input?: string; uid?: number; gid?: number }, ...args: string[]): Answer {
    const { status, stdout, stderr } = spawnSync(
      this.runtime,
      ['--root', join(this.directory, 'state'), ...args],
      { cwd: this.directory, encoding: 'utf8', timeout: 120_000, ...options },
    );
    return { code: status, stdout, stderr };
  }

  /** Creates without letting the container inherit the pipes of this call, which would then never end. */
  create(id: string, ...options: string[]): Answer {
    const { status } = spawnSync(
      'sh',
      [
        '-c',
        `exec "$@" </dev/null >output 2>error`,
        'sh',
        this.runtime,
        '--root',
        'state',
        'create',
        ...options,
        id,
      ],
      { cwd: this.directory, encoding: 'utf8' },
    );
    return { code: status, stdout: '', stderr: readFileSync(join(this.directory, 'error'), 'utf8') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stdout } = this.call('list', '-q');
    for (const id of stdout.split('\n').filter(Boolean)) this.call('delete', '--force', id);
    await openCgroup(this.cgroup)?.delete();
    // runc makes control groups in hierarchies without a controller, too.
    const hierarchies = '/sys/fs/cgroup';
    for (const name of readdirSync(hierarchies))
      if (existsSync(join(hierarchies, name, this.cgroup))) rmdirSync(join(hierarchies, name, this.cgroup));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
