// Examines a container's files: programs and the files that they need. Any of them may be malicious.

import { fstatSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import type { UserIdentity } from '../../../formats/user-database.ts';
import { O } from '../../../linux/constants.ts';
import { namesIn } from '../../../linux/directory.ts';
import type { ReadAt } from '../../../linux/elf-file.ts';
import { openInRoot, withFd } from '../../../linux/in-root.ts';
import { openPlainFileInRoot, readTextInRoot } from '../../../linux/plain-file.ts';
import { type ContainerRoot, openContainerRoot } from '../../files/container-root.ts';
import type { EngineContext } from '../../state/context.ts';
import type { LiveContainer } from '../../state/live-container.ts';

export interface ContainerFiles extends AsyncDisposable {
  /** Kind of the file at an absolute path in the container; undefined when there is none. */
  kind(path: string): Promise<'file' | 'executable' | 'directory' | 'other' | undefined>;
  /**
   * The first directory of an absolute path that the user may not search, or the file itself, if the user may not
   * execute it.
   */
  denied(path: string, user: UserIdentity): Promise<Denied | undefined>;
  /** Gives `use` a reader of an ordinary file; undefined when there is none. */
  withFile<T>(path: string, use: (read: ReadAt) => T): Promise<T | undefined>;
  /** Text of a file; '' when there is none or it is too large. */
  text(path: string): Promise<string>;
  /** Names in a directory, at most a thousand; [] when there is no directory. */
  names(path: string): Promise<string[]>;
}

export interface Denied {
  path: string;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
}

const MOST_NAMES = 1000;

export function containerFiles(context: EngineContext, live: LiveContainer): ContainerFiles {
  /** Opened roots by mount point: the volumes of a stopped container are not mounted in its root. */
  const roots = new Map<string, Promise<ContainerRoot>>();
  const at = async <T>(path: string, use: (root: number, path: string) => T): Promise<T | undefined> => {
    const mount = live.run
      ? undefined
      : live.record.mounts.find(
          ({ Destination }) => path === Destination || path.startsWith(`${Destination}/`),
        )?.Destination;
    const key = mount ?? '/';
    if (!roots.has(key)) roots.set(key, openContainerRoot(context, live, { path: key, writable: false }));
    try {
      const root = await roots.get(key)!;
      return use(root.fd, mount === undefined ? path : posix.join(root.path, path.slice(mount.length)));
    } catch {
      // The path does not exist or its links form a loop, or the root can no longer be opened.
      return undefined;
    }
  };

  return {
    kind: path =>
      at(path, (root, path) =>
        withFd(openInRoot(root, path, O.PATH), fd => {
          const status = fstatSync(fd);
          if (status.isDirectory()) return 'directory';
          if (!status.isFile()) return 'other';
          return (status.mode & 0o111) === 0 ? 'file' : 'executable';
        }),
      ),
    denied: async (path, user) => {
      const names = path.split('/').filter(Boolean);
      for (const index of names.keys()) {
        const each = `/${names.slice(0, index + 1).join('/')}`;
        const found = await at(each, (root, inRoot) =>
          withFd(openInRoot(root, inRoot, O.PATH), fd => {
            const { mode, uid, gid } = fstatSync(fd);
            return mayExecute({ mode, uid, gid }, user)
              ? undefined
              : { path: each, mode: mode & 0o7777, uid, gid };
          }),
        );
        if (found !== undefined) return found;
      }
      return undefined;
    },
    withFile: (path, use) =>
      at(path, (root, path) => {
        const fd = openPlainFileInRoot(root, path);
        return fd === undefined ? undefined : withFd(fd, fd => use(reader(fd)));
      }),
    text: async path => (await at(path, (root, path) => readTextInRoot(root, path))) ?? '',
    names: async path =>
      (await at(path, (root, path) =>
        withFd(openInRoot(root, path, O.RDONLY | O.DIRECTORY), fd =>
          namesIn(fd)
            .slice(0, MOST_NAMES)
            .map(name => name.toString('utf8', 0, name.length - 1)),
        ),
      )) ?? [],
    async [Symbol.asyncDispose]() {
      for (const root of roots.values()) (await root.catch(() => undefined))?.[Symbol.dispose]();
    },
  };
}

/** path_resolution(7); root needs only one bit of the three. */
function mayExecute(file: Omit<Denied, 'path'>, { uid, gid, additionalGids }: UserIdentity): boolean {
  if (uid === 0) return (file.mode & 0o111) !== 0;
  if (uid === file.uid) return (file.mode & 0o100) !== 0;
  if (gid === file.gid || additionalGids.includes(file.gid)) return (file.mode & 0o010) !== 0;
  return (file.mode & 0o001) !== 0;
}

const reader =
  (fd: number): ReadAt =>
  (offset, length) => {
    if (!Number.isSafeInteger(offset + length)) return Buffer.alloc(0);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  };
