// COPY: files from the context, or from another stage, into a root. A root is an image's, and an image may be anybody's.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AT, because, CLONE, clone, dup3, execveat, type Item, O, openat, resultOf } from '#linux';
import { statusOf } from '../01-process/program.ts';
import { privateMounts } from '../02-pid-namespace/own-proc.ts';
import { Mistake } from '../04-mounts/mistake.ts';
import { busyboxRoot } from '../05-root/busybox.ts';
import { enterRoot, makeDirectories } from '../05-root/root.ts';
import { layersOf, mountLayers } from '../08-layers/layers.ts';
import type { Image } from '../09-images/store.ts';
import { layerDirectories } from '../09-images/unpack.ts';

/** Of a directory its content is taken, and a file under its name. */
export type Kind = 'directory' | 'file';

/** @param into a directory of ours. @throws Mistake when it is not in the context */
export function takeFromContext(context: string, source: string, into: string): Kind {
  const path = join(context, source);
  if (!existsSync(path)) throw new Mistake(`there is no ${source} in ${context}`);
  // A link may lead anywhere, and so may ../
  const [root, found] = [realpathSync(context), realpathSync(path)];
  if (found !== root && !found.startsWith(`${root}/`)) throw new Mistake(`${source} leads out of ${context}`);
  if (lstatSync(found).isDirectory()) {
    execFileSync('cp', ['-a', `${found}/.`, into]);
    return 'directory';
  }
  execFileSync('cp', ['-a', found, join(into, basename(source))]);
  return 'file';
}

/** The same from an image. @param scratch the name of a box that is made for it */
export async function takeFromImage(
  image: Image,
  source: string,
  into: string,
  scratch: string,
): Promise<Kind> {
  const [packed, taken] = [`${into}.tar`, emptyDirectory(`${into}.taken`)];
  const output = openat(AT.FDCWD, packed, O.CREAT | O.TRUNC | O.WRONLY | O.CLOEXEC, 0o600);
  await inRoot(image, scratch, {
    before: [output, dup3(resultOf(output), 1, 0)],
    argv: ['tar', '-c', '-C', join('/', dirname(source)), '-f', '-', basename(source)],
  });
  execFileSync('tar', ['-C', taken, '--numeric-owner', '-xpf', packed]);
  const found = join(taken, basename(source));
  const kind = lstatSync(found).isDirectory() ? 'directory' : 'file';
  execFileSync('cp', ['-a', kind === 'directory' ? `${found}/.` : found, into]);
  return kind;
}

/** Puts all files of a directory of ours into an image's root; the changes are then in the box's upper directory. */
export async function putInto(image: Image, files: string, target: string, scratch: string): Promise<void> {
  const packed = `${files}.tar`;
  execFileSync('tar', [...packing(files), '--file', packed]);
  const input = openat(AT.FDCWD, packed, O.RDONLY | O.CLOEXEC, 0);
  await inRoot(image, scratch, {
    before: [input, dup3(resultOf(input), 0, 0)],
    after: makeDirectories('', target),
    argv: ['tar', '-x', '-C', join('/', target), '-f', '-'],
  });
}

/** The files' names, contents and modes in one text; not their times, which differ after each git clone. */
export function contentOf(files: string): Buffer {
  return execFileSync('tar', [...packing(files), '--mtime=@0'], { maxBuffer: Number.POSITIVE_INFINITY });
}

function packing(directory: string): string[] {
  const names = readdirSync(directory).sort();
  const same = ['--sort=name', '--numeric-owner', '--owner=0', '--group=0'];
  return ['--create', '-C', directory, ...same, '-T', '/dev/null', ...names.map(name => `./${name}`)];
}

/**
 * Runs a program of ours with an image's root as its own. /out may be a link to /etc there, but then to that of the image:
 * nothing of the machine has a name any more. The image need not have a program at all.
 */
async function inRoot(
  image: Image,
  scratch: string,
  { before, after = [], argv }: { before: Item[]; after?: Item[]; argv: string[] },
): Promise<void> {
  const layers = layersOf(scratch, layerDirectories(image));
  const busybox = openat(AT.FDCWD, `${busyboxRoot()}/bin/busybox`, O.RDONLY | O.CLOEXEC, 0);
  const pid = clone(CLONE.NEWNS, [
    ...before,
    busybox,
    privateMounts(),
    mountLayers(layers),
    ...enterRoot(layers.merged),
    ...after,
    because('what was opened stays open', execveat(resultOf(busybox), '', argv, [], AT.EMPTY_PATH)),
  ]);
  if ((await statusOf(pid)) !== 0) throw new Mistake(`${argv.join(' ')} did not work in the image's root`);
}

/** An empty directory for files on their way. */
export function emptyDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
