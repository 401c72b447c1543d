// What the checker gives to an engine: the image busybox, as a directory and as an archive.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectories } from '../../mini-docker/linux/make-directories.ts';
import { nodeDirectory, repository } from '../repository.ts';
import type { Placed } from '../sandbox/root.ts';

/** Where an engine finds the kit in its sandbox; $CAPSTONE_IMAGES says so. */
export const IMAGES = '/capstone/images';
/** An empty directory in memory, for all that an engine keeps; $CAPSTONE_STATE says so. */
export const STATE = '/var/tmp/my-docker';
const TOOLS = '/capstone/kit';

export const kitEnvironment = { CAPSTONE_IMAGES: IMAGES, CAPSTONE_STATE: STATE };

/** The path of one of the checker's programs in the sandbox: 'make-image.ts' */
export function kitTool(name: string): string {
  return `${TOOLS}/${name}`;
}

/** A directory of this machine, which is removed in the end. */
export class Kit implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'capstone-'));

  constructor() {
    const root = join(this.directory, 'busybox');
    for (const name of ['bin', 'etc', 'root', 'tmp', 'dev', 'proc', 'sys', 'var', 'usr'])
      makeDirectories(join(root, name));
    const busybox = execFileSync('sh', ['-c', 'command -v busybox'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${nodeDirectory}:${process.env.PATH}` },
    }).trim();
    copyFileSync(busybox, join(root, 'bin/busybox'));
    const names = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
    for (const name of names) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name));
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nguest:x:405:100:guest:/:/bin/sh\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nusers:x:100:\n');
    const config = {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['sh'],
    };
    const archive = join(this.directory, 'busybox.tar');
    const tool = join(repository, 'capstone/kit/make-image.ts');
    execFileSync(process.execPath, [tool, archive, 'busybox', JSON.stringify(config), root]);
  }

  get placed(): Placed[] {
    return [
      { source: this.directory, target: IMAGES, as: 'read-only' },
      { source: join(repository, 'capstone/kit'), target: TOOLS, as: 'read-only' },
    ];
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
