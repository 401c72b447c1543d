// Unpacks an image's layers into directories, which overlay then combines into a root.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AT, call, fsetxattr, mknodat, O, openat, S_IF, withFd } from '#linux';
import { Mistake } from '../04-mounts/mistake.ts';
import { OPAQUE_ATTRIBUTE } from '../08-layers/layers.ts';
import { digestOf, type Image, readBlob } from './store.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** The first two bytes of every gzip file. RFC 1952 */
const GZIP = 0x1f8b;

/** @throws Mistake if the layer does not have the diffID that the configuration gives */
export function uncompressed(layer: Buffer, diffId: string | undefined): Buffer {
  const tar = layer.readUInt16BE(0) === GZIP ? gunzipSync(layer) : layer;
  if (digestOf(tar) !== diffId) throw new Mistake(`a layer should be ${diffId}, but it is ${digestOf(tar)}`);
  return tar;
}

/** The image's layers as directories, the lowest first. Each is unpacked once, for all images that contain it. */
export function layerDirectories({ manifest, config }: Image): string[] {
  let chainId = '';
  return manifest.layers.map((layer, at) => {
    const diffId = config.rootfs.diff_ids[at]!;
    // Names the layer together with all layers below it: the same diff on top of other layers gives other files.
    chainId = at === 0 ? diffId : digestOf(Buffer.from(`${chainId} ${diffId}`));
    const directory = `/tmp/box/layers/${chainId.slice('sha256:'.length)}`;
    if (!existsSync(directory)) {
      rmSync(`${directory}.new`, { recursive: true, force: true });
      mkdirSync(`${directory}.new`, { recursive: true });
      unpack(uncompressed(readBlob(layer), diffId), `${directory}.new`);
      renameSync(`${directory}.new`, directory);
    }
    return directory;
  });
}

/** In a tar, a deleted file is an empty file .wh.NAME; in an overlay layer it is a device 0:0 called NAME. */
function unpack(tar: Buffer, directory: string): void {
  const { status, stderr } = spawnSync('tar', ['-C', directory, '--numeric-owner', '-xpf', '-'], {
    input: tar,
  });
  if (status !== 0) throw new Mistake(`a layer cannot be unpacked: ${stderr}`);
  const marks = execFileSync('find', [directory, '-name', `${WHITEOUT}*`], { encoding: 'utf8' });
  for (const mark of marks.split('\n').filter(Boolean)) {
    const [parent, name] = [dirname(mark), basename(mark)];
    unlinkSync(mark);
    if (name === OPAQUE) setOpaque(parent);
    else call(mknodat(AT.FDCWD, `${parent}/${name.slice(WHITEOUT.length)}`, S_IF.CHR, 0));
  }
}

/** Marks a directory that hides the one below instead of merging with it. */
function setOpaque(directory: string): void {
  withFd(call(openat(AT.FDCWD, directory, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0)), fd =>
    call(fsetxattr(fd, OPAQUE_ATTRIBUTE, Buffer.from('y'), 0)),
  );
}
