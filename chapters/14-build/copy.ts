// COPY: copies files from the context, or from another stage, into the root of an image that cannot be trusted.
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

/** Kind of a source: of a directory the content is copied, a file under its name. */
export type Kind = 'directory' | 'file';

/** COPY's files belong to root in the image, whoever owned them; and only root may keep their owners (chapter 15). */
const COPY = ['-a', '--no-preserve=ownership'];

/** Copies a source from the context. @param into a directory of ours. @throws Mistake if it is not in the context */
export function takeFromContext(context: string, source: string, into: string): Kind {
  const path = join(context, source);
  if (!existsSync(path)) throw new Mistake(`there is no ${source} in ${context}`);
  // A link may lead out of the context, and so may ../
  const [root, found] = [realpathSync(context), realpathSync(path)];
  if (found !== root && !found.startsWith(`${root}/`)) throw new Mistake(`${source} leads out of ${context}`);
  if (lstatSync(found).isDirectory()) {
    execFileSync('cp', [...COPY, `${found}/.`, into]);
    return 'directory';
  }
  execFileSync('cp', [...COPY, found, join(into, basename(source))]);
  return 'file';
}

/** Copies a source from an image. @param scratch name of a temporary box for that */
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
  execFileSync('cp', [...COPY, kind === 'directory' ? `${found}/.` : found, into]);
  return kind;
}

/** Copies a directory's files into an image's root; the changes are then in the box's upper directory. */
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

/** The files' names, contents and modes as one value; their times are left out, as they differ after each git clone. */
export function contentOf(files: string): Buffer {
  return execFileSync('tar', [...packing(files), '--mtime=@0'], { maxBuffer: Number.POSITIVE_INFINITY });
}

function packing(directory: string): string[] {
  const names = readdirSync(directory).sort();
  const same = ['--sort=name', '--numeric-owner', '--owner=0', '--group=0'];
  return ['--create', '-C', directory, ...same, '-T', '/dev/null', ...names.map(name => `./${name}`)];
}

/**
 * Runs our busybox with an image's root as its root. If /out is a link to /etc there, it leads to the image's /etc:
 * no path leads to the machine's files any more. The image need not contain any program.
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
  if ((await statusOf(pid)) !== 0) throw new Mistake(`${argv.join(' ')} failed in the image's root`);
}

/** Makes an empty directory for files on their way. */
export function emptyDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
