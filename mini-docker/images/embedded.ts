// busybox:latest, built locally from a single program, so that the first container needs no registry.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { digestOf } from '../formats/oci/digest.ts';
import type { ImageConfig } from '../formats/oci/image-config.ts';
import { encodeEntry } from '../formats/tar/encode.ts';
import { END_OF_ARCHIVE, padding, type TarEntry } from '../formats/tar/entry.ts';
import { isStaticElf } from './elf-static.ts';
import { ImageError } from './errors.ts';

export const EMBEDDED_REFERENCE = 'docker.io/library/busybox:latest';

/** Digest of busybox.net's build of 1.35.0 for x86-64, which the npm package busybox-static contains. */
const DIGEST = 'sha256:6e123e7f3202a8c1e9b1f94d8941580a25135382b99e8d3e34fb858bba311348';
/**
 * Release date of busybox 1.35.0. All times in the image are this one, so that its digest is always the same.
 */
const CREATED = '2021-12-26T16:53:33Z';
const MTIME = BigInt(Date.parse(CREATED)) * 1_000_000n;
/** Paths where bin/setup puts busybox on other machines, and where distributions do. */
const OTHERS = [
  ...(createRequire(import.meta.url).resolve.paths('busybox') ?? []).map(folder => `${folder}/.bin/busybox`),
  ...['/bin/busybox', '/usr/bin/busybox', '/sbin/busybox', '/usr/local/bin/busybox', '/bin/busybox.static'],
];

/** The image's only layer, as an uncompressed tar, and its configuration. */
export interface EmbeddedImage {
  layer: Buffer;
  config: ImageConfig;
}

export function makeEmbeddedImage(): EmbeddedImage {
  const { path, program } = findProgram();
  const layer = makeLayer(program, appletsOf(path));
  return {
    layer,
    config: {
      created: CREATED,
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        Cmd: ['sh'],
      },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [
        { created: CREATED, created_by: 'busybox, its applets, and the files of a small system' },
        { created: CREATED, created_by: 'CMD ["sh"]', empty_layer: true },
      ],
    },
  };
}

function findProgram(): { path: string; program: Buffer } {
  if (process.arch === 'x64') {
    const path = createRequire(import.meta.url).resolve('busybox-static/bin/busybox');
    const program = readFileSync(path);
    if (digestOf(program) === DIGEST) return { path, program };
    throw new ImageError(`${path} is not the busybox that was packed with the program: run npm ci again`);
  }
  for (const path of OTHERS) {
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    const program = readFileSync(path);
    if (isStaticElf(program)) return { path, program };
  }
  throw new ImageError(
    `no busybox for ${process.arch} here: install a static one (Debian: apt install busybox-static), or pull an image`,
  );
}

function appletsOf(path: string): string[] {
  const { stdout, error } = spawnSync(path, ['--list'], { encoding: 'utf8' });
  if (error) throw new ImageError(`cannot run ${path}: ${error.message}`, { cause: error });
  const names = stdout.split('\n').filter(name => name !== '' && name !== 'busybox' && !name.includes('/'));
  return [...new Set(names)].sort();
}

const PASSWD: readonly [name: string, uid: number, gid: number, home: string, shell: string][] = [
  ['root', 0, 0, '/root', '/bin/sh'],
  ['daemon', 1, 1, '/usr/sbin', '/bin/false'],
  ['bin', 2, 2, '/bin', '/bin/false'],
  ['sys', 3, 3, '/dev', '/bin/false'],
  ['sync', 4, 100, '/bin', '/bin/sync'],
  ['mail', 8, 8, '/var/spool/mail', '/bin/false'],
  ['www-data', 33, 33, '/var/www', '/bin/false'],
  ['operator', 37, 37, '/var', '/bin/false'],
  ['nobody', 65534, 65534, '/home', '/bin/false'],
];

const GROUPS: readonly [name: string, gid: number, members?: string][] = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['adm', 4],
  ['tty', 5],
  ['disk', 6],
  ['lp', 7],
  ['mail', 8],
  ['kmem', 9],
  ['wheel', 10, 'root'],
  ['cdrom', 11],
  ['dialout', 18],
  ['floppy', 19],
  ['video', 28],
  ['audio', 29],
  ['tape', 32],
  ['www-data', 33],
  ['operator', 37],
  ['utmp', 43],
  ['plugdev', 46],
  ['staff', 50],
  ['lock', 54],
  ['netdev', 82],
  ['users', 100],
  ['nobody', 65534],
];

const passwd = PASSWD.map(
  ([name, uid, gid, home, shell]) => `${name}:x:${uid}:${gid}:${name}:${home}:${shell}\n`,
).join('');
const shadow = PASSWD.map(([name]) => `${name}:*:10933:0:99999:7:::\n`).join('');
const group = GROUPS.map(([name, gid, members = '']) => `${name}:x:${gid}:${members}\n`).join('');

function makeLayer(program: Buffer, applets: readonly string[]): Buffer {
  const parts: Uint8Array[] = [];
  const add = (path: string, entry: Partial<TarEntry>, content?: Buffer) => {
    const size = content?.length ?? 0;
    parts.push(
      encodeEntry({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: MTIME, ...entry, size }),
    );
    if (content !== undefined) parts.push(content, new Uint8Array(padding(size)));
  };
  const directory = (path: string, mode = 0o755, id = 0) =>
    add(path, { type: 'directory', mode, uid: id, gid: id });

  directory('bin');
  add('bin/busybox', { mode: 0o755 }, program);
  for (const name of applets) {
    add(`bin/${name}`, { type: 'hardlink', mode: 0o755, linkname: 'bin/busybox' });
  }
  directory('dev');
  directory('etc');
  add('etc/group', {}, Buffer.from(group));
  for (const name of ['', '/if-down.d', '/if-post-down.d', '/if-pre-up.d', '/if-up.d']) {
    directory(`etc/network${name}`);
  }
  add('etc/passwd', {}, Buffer.from(passwd));
  add('etc/shadow', { mode: 0o600 }, Buffer.from(shadow));
  directory('home', 0o755, 65534);
  directory('root', 0o700);
  directory('tmp', 0o1777);
  directory('usr');
  directory('usr/bin');
  add('usr/bin/env', { type: 'symlink', mode: 0o777, linkname: '../../bin/env' });
  directory('usr/sbin');
  directory('var');
  directory('var/spool');
  directory('var/spool/mail', 0o755, 8);
  directory('var/www', 0o755, 33);
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}
