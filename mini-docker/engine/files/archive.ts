// Copies files in and out of containers: `cp` and `export`. The kernel resolves every path inside the
// container's root (openat2(2)), so a container that swaps directories for symbolic links meanwhile cannot
// lead the daemon out of it.

import { closeSync } from 'node:fs';
import { posix } from 'node:path';
import { decodeName, pathArg } from '../../formats/byte-names.ts';
import type { ContainerPathStat } from '../../formats/engine-api/containers.ts';
import { badParameter, type ExpectedError, forbidden, notFound } from '../../formats/errors.ts';
import { tooLong } from '../../formats/path-length.ts';
import { createTarReader } from '../../formats/tar/reader.ts';
import { encodeTimestamp } from '../../formats/timestamp.ts';
import { decompressed } from '../../images/decompress.ts';
import { pack } from '../../images/pack.ts';
import { createUnpacker } from '../../images/unpack.ts';
import { O, S_IF } from '../../linux/constants.ts';
import { type FileStatus, statusAt } from '../../linux/directory.ts';
import { openInRoot, readLink } from '../../linux/in-root.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import type { PutArchiveOptions } from '../core/engine.ts';
import { containerEvent } from '../state/container-events.ts';
import type { EngineContext } from '../state/context.ts';
import type { Owner } from '../state/id-mappings.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { type ContainerRoot, openContainerRoot, openLayers } from './container-root.ts';
import { encodeFileMode } from './file-mode.ts';
import { identityIn } from './identities.ts';
import { makeMountPoints, openGrafts } from './mounts-below.ts';

/** A file, named by its directory's descriptor and its name. */
interface Located extends Disposable {
  directory: number;
  /** '.' for the root itself. */
  name: string;
  status: FileStatus;
}

/** A path in a container, as the caller names both: errors repeat it. */
interface AskedPath {
  container: string;
  path: string;
}

export async function statContainerPath(
  context: EngineContext,
  live: LiveContainer,
  asked: AskedPath,
): Promise<ContainerPathStat> {
  const { path } = asked;
  await makeMountPoints(context, live, path);
  using root = await openContainerRoot(context, live, { path, writable: false });
  using found = locate(root, asked);
  return pathStat(found, path);
}

export async function getArchive(
  context: EngineContext,
  live: LiveContainer,
  asked: AskedPath,
): Promise<{ stat: ContainerPathStat; tar: AsyncIterable<Uint8Array> }> {
  const { path } = asked;
  await makeMountPoints(context, live, path);
  using held = new DisposableStack();
  const root = held.use(await openContainerRoot(context, live, { path, writable: false }));
  const found = held.use(locate(root, asked));
  const stat = pathStat(found, path);
  const as = stat.name === '/' ? '' : stat.name;
  const grafts = await openGrafts(context, live, { path, as, held });
  const kept = held.move();
  containerEvent(context, live, 'archive-path', { path });
  return {
    stat,
    tar: closing(
      kept,
      pack({
        fd: found.directory,
        only: { name: found.name, as },
        graft: name => grafts.get(posix.join('/', name).slice(1)),
        whiteouts: false,
        // Kernel filesystems of a running container are not among its files, and some cannot be read to the
        // end.
        skip: name => /^\.?\/(proc|sys|dev)\//.test(name),
        ...(root.owners && { owner: root.owners.inContainer }),
      }),
    ),
  };
}

export async function exportContainer(
  context: EngineContext,
  live: LiveContainer,
): Promise<AsyncIterable<Uint8Array>> {
  using held = new DisposableStack();
  const root = held.use(await openLayers(context, live));
  const directory = held.adopt(openInRoot(root.fd, '/', O.RDONLY | O.DIRECTORY), closeSync);
  const kept = held.move();
  containerEvent(context, live, 'export');
  const owner = root.owners?.inContainer;
  return closing(kept, pack({ fd: directory, whiteouts: false, ...(owner && { owner }) }));
}

/** Unpacks the tar's entries below the directory `path`. */
export async function putArchive(
  context: EngineContext,
  live: LiveContainer,
  { options, ...asked }: AskedPath & { options: PutArchiveOptions },
): Promise<void> {
  const { path } = asked;
  // A start at the same time would mount the writable layer twice.
  using _held = live.hasBegun ? undefined : await live.hold();
  using root = await openContainerRoot(context, live, { path, writable: true });
  const directory = openDirectory(root, asked);
  const { User } = live.record.config;
  const user = options.copyUIDGID && User ? identityIn(root.fd, User) : undefined;
  const onHost = root.owners?.onHost ?? ((owner: Owner) => owner);
  try {
    const unpacker = createUnpacker({
      rootFd: root.fd,
      base: posix.resolve('/', root.path).slice(1),
      whiteouts: false,
      limit: Number.MAX_SAFE_INTEGER,
      keepKinds: options.noOverwriteDirNonDir === true,
      owner: named => onHost(user ?? named),
      ...(root.owners && { as: onHost({ uid: 0, gid: 0 }) }),
    });
    try {
      const reader = createTarReader(unpacker);
      for await (const chunk of decompressed(options.tar)) reader.write(chunk);
      reader.finish();
      unpacker.finish();
    } finally {
      unpacker.close();
    }
  } finally {
    closeSync(directory);
  }
  containerEvent(context, live, 'extract-to-dir', { path });
}

/** Finds the file without following a symbolic link at the end, unless the path ends in '/' or '/.'. */
function locate(root: ContainerRoot, asked: AskedPath): Located {
  const isInside = /\/\.?$/.test(root.path);
  const parent = isInside ? root.path : posix.dirname(root.path);
  const name = isInside ? '.' : posix.basename(root.path);
  let directory: number;
  try {
    directory = openInRoot(root.fd, pathArg(parent), O.RDONLY | O.DIRECTORY);
  } catch (error) {
    throw pathError(error, asked);
  }
  using held = new DisposableStack();
  held.adopt(directory, closeSync);
  let status: FileStatus | undefined;
  try {
    status = statusAt(directory, pathArg(name));
  } catch (error) {
    throw pathError(error, asked);
  }
  if (status === undefined) throw notThere(asked);
  const kept = held.move();
  return { directory, name, status, [Symbol.dispose]: () => kept.dispose() };
}

function openDirectory(root: ContainerRoot, asked: AskedPath): number {
  try {
    return openInRoot(root.fd, pathArg(root.path), O.RDONLY | O.DIRECTORY);
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'ENOTDIR') {
      throw badParameter('extraction point is not a directory');
    }
    throw pathError(error, asked);
  }
}

function pathStat({ directory, name, status }: Located, path: string): ContainerPathStat {
  const isLink = (status.mode & S_IF.MT) === S_IF.LNK;
  return {
    // 'dir/.' means the directory's content, wherever it is unpacked: the archive has entries './file'.
    name: /(^|\/)\.\/*$/.test(path) ? '.' : posix.basename(posix.resolve('/', path)) || '/',
    size: status.size,
    mode: encodeFileMode(status.mode),
    mtime: encodeTimestamp(status.mtime),
    linkTarget: isLink ? decodeName(readLink(directory, pathArg(name))) : '',
  };
}

function notThere({ container, path }: AskedPath): ExpectedError {
  return notFound(`Could not find the file ${path} in container ${container}`);
}

function pathError(error: unknown, asked: AskedPath): unknown {
  const { path } = asked;
  if (!(error instanceof SyscallError)) return error;
  // dockerd's wording.
  if (error.code === 'ENAMETOOLONG') return badParameter(tooLong(path));
  if (error.code === 'ENOTDIR') return badParameter(`${path}: not a directory`);
  if (error.code === 'EROFS') return forbidden(`${path}: read-only file system`);
  return ['ENOENT', 'ELOOP'].includes(error.code) ? notThere(asked) : error;
}

async function* closing(
  held: DisposableStack,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  using _held = held;
  yield* pieces;
}
