// The directory that an archive is unpacked into. The kernel resolves every name inside it
// (linux/in-root.ts).

import { pathArg } from '../../formats/byte-names.ts';
import { call } from '../../linux/call.ts';
import { O, S_IF } from '../../linux/constants.ts';
import { isWhiteout, statusAt } from '../../linux/directory.ts';
import { ERRNO } from '../../linux/errno.ts';
import { asFileUser } from '../../linux/file-user.ts';
import { openInRoot, withFd } from '../../linux/in-root.ts';
import { removeTreeAt } from '../../linux/remove-tree.ts';
import { mayFail, type Step } from '../../linux/step.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import { close, fchmod, fsetxattr, mkdirat, openat } from '../../linux/syscalls.ts';
import { ImageError } from '../errors.ts';
import { OPAQUE_XATTR } from '../whiteouts.ts';
import type { Allowance } from './allowance.ts';
import { splitLast } from './paths.ts';

export interface TreeOptions {
  /** The root directory, which no path can leave. The caller closes it. */
  rootFd: number;
  /**
   * Translate the image specification's whiteouts (.wh.NAME) into overlayfs's. Otherwise they are ordinary
   * files.
   */
  whiteouts: boolean;
  /** Refuse to replace a directory by something else, or something else by a directory. */
  keepKinds?: boolean;
  /** The user who creates files before they get their owner, for a root in another user namespace. */
  as?: { uid: number; gid: number };
}

/** A name in a directory. The descriptor is valid until the next place is requested. */
export interface Place {
  fd: number;
  name: string;
}

export const NEW_DIRECTORY = 0o755;
export const OPEN_DIRECTORY = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
const YES = Buffer.from('y');

export class Tree {
  readonly rootFd: number;
  readonly whiteouts: boolean;
  readonly keepKinds: boolean;
  readonly #as: TreeOptions['as'];
  readonly #allowance: Allowance;
  /** The directory of the last place: consecutive entries are mostly in the same one. */
  #parent: { path: string; fd: number } | undefined;

  constructor(options: TreeOptions, allowance: Allowance) {
    this.rootFd = options.rootFd;
    this.whiteouts = options.whiteouts;
    this.keepKinds = options.keepKinds === true;
    this.#as = options.as;
    this.#allowance = allowance;
  }

  create(step: Step): number {
    const as = this.#as;
    return as === undefined ? call(step) : asFileUser(as, () => call(step));
  }

  place(path: string): Place {
    const { directory, name } = splitLast(path);
    if (this.#parent?.path !== directory) {
      this.close();
      this.#parent = { path: directory, fd: this.open(directory) };
    }
    return { fd: this.#parent!.fd, name };
  }

  /**
   * A descriptor of the directory `path`, which is made, with its parents, if the archive did not name it.
   */
  open(path: string): number {
    try {
      return openInRoot(this.rootFd, pathArg(path), O.RDONLY | O.DIRECTORY);
    } catch (error) {
      const { directory, name } = splitLast(path);
      if (name === '' || !isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      return withFd(this.open(directory), above => this.#makeMissing({ fd: above, name }, path));
    }
  }

  #makeMissing({ fd: above, name }: Place, path: string): number {
    const status = statusAt(above, pathArg(name));
    const hidden = status !== undefined && this.whiteouts && isWhiteout(status);
    if (status !== undefined && !hidden) {
      throw new ImageError(`the archive has files below ${JSON.stringify(path)}, which is not a directory`);
    }
    if (hidden) removeTreeAt(above, pathArg(name));
    this.#allowance.storeFile();
    this.create(mkdirat(above, pathArg(name), NEW_DIRECTORY));
    const fd = call(openat(above, pathArg(name), OPEN_DIRECTORY, 0));
    call(fchmod(fd, NEW_DIRECTORY));
    if (hidden) markOpaque(fd);
    return fd;
  }

  /** Makes a file of this name, and replaces an existing one. */
  make({ fd, name }: Place, step: Step): number {
    const result = this.create(mayFail(step, 'EEXIST'));
    if (result !== -ERRNO.EEXIST) return result;
    if (this.keepKinds && kindAt({ fd, name }) === S_IF.DIR) {
      throw new ImageError(`cannot overwrite the directory ${JSON.stringify(name)} with something else`);
    }
    removeTreeAt(fd, pathArg(name));
    return this.create(step);
  }

  /** Idempotent. The root stays open. */
  close(): void {
    if (this.#parent !== undefined) call(close(this.#parent.fd));
    this.#parent = undefined;
  }
}

/** The S_IF bits; 0 when nothing has this name. */
export function kindAt({ fd, name }: Place): number {
  return (statusAt(fd, pathArg(name))?.mode ?? 0) & S_IF.MT;
}

/** Hides the lower layers' content of this directory. */
export function markOpaque(fd: number): void {
  call(fsetxattr(fd, OPAQUE_XATTR, YES, 0));
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof SyscallError && codes.includes(error.code);
}
