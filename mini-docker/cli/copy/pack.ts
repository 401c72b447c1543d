// Packs files of this machine as a tar stream for a container.

import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Header } from 'tar-stream';
import { printError } from '../show/output.ts';

type PartialHeader = Partial<Header> & Pick<Header, 'name'>;

export interface PackOptions {
  path: string;
  /** What the topmost entry is called; undefined leaves it out and packs what is in the directory. */
  name: string | undefined;
  /** Follow the path itself when it is a symbolic link. Those below it are copied as links. */
  follow: boolean;
}

/** An archive that rejects while it is read when a file cannot be. */
export async function pack({ path, name, follow }: PackOptions): Promise<AsyncIterable<Uint8Array>> {
  // Here and not above: the bundle would load it for every command.
  const archive = (await import('tar-stream')).pack();
  const hardLinks = new Map<string, string>();

  const add = async (from: string, to: string, top: boolean): Promise<void> => {
    const stats = top && follow ? await stat(from) : await lstat(from);
    const header = await headerOf(from, to, stats);
    if (!header) {
      printError(`mini-docker: left out ${from}: it is a socket or a device`);
      return;
    }
    const inode = `${stats.dev}:${stats.ino}`;
    const first = stats.isFile() && stats.nlink > 1 ? hardLinks.get(inode) : undefined;
    if (first !== undefined) {
      archive.entry({ ...header, type: 'link', size: 0, linkname: first });
      return;
    }
    if (stats.isFile()) {
      hardLinks.set(inode, to);
      // Exactly as many bytes as the header says, also when the file grows while it is read.
      if (stats.size === 0) archive.entry(header, '');
      else
        await pipeline(
          createReadStream(from, { end: stats.size - 1 }),
          archive.entry(header) as unknown as Writable,
        );
      return;
    }
    if (to !== '') archive.entry(header);
    if (!stats.isDirectory()) return;
    for (const each of (await readdir(from)).sort())
      await add(join(from, each), to === '' ? each : `${to}/${each}`, false);
  };

  add(path, name ?? '', true).then(
    () => archive.finalize(),
    error => archive.destroy(error),
  );
  // A stream of streamx, which its types do not call iterable.
  return archive as unknown as AsyncIterable<Uint8Array>;
}

async function headerOf(path: string, name: string, stats: Stats): Promise<PartialHeader | undefined> {
  const header = { name, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, mtime: stats.mtime };
  if (stats.isDirectory()) return { ...header, type: 'directory' };
  if (stats.isFile()) return { ...header, type: 'file', size: stats.size };
  if (stats.isSymbolicLink()) return { ...header, type: 'symlink', linkname: await readlink(path) };
  if (stats.isFIFO()) return { ...header, type: 'fifo' };
  return undefined;
}
