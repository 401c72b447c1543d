// A container's root filesystem, seen from the host while the container is not running: a detached overlay
// mount (fsopen(2), fsmount(2)), held by a descriptor and in no mount namespace. After a crash there is
// nothing to unmount.

import { closeSync, constants, openSync } from 'node:fs';
import { call } from '../linux/call.ts';
import { FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, O } from '../linux/constants.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import { close, fsconfig, fsmount, fsopen } from '../linux/syscalls.ts';

export interface ViewOptions {
  /** The image's layers, topmost first. */
  lowerdirs: string[];
  /** The writable layer. Without `workdir` the view is read-only. */
  upperdir: string;
  workdir?: string;
}

/**
 * The longest value that fsconfig(2) takes: some 60 layers. One by one ("lowerdir+", Linux 6.8) there can be
 * 500, but a kernel that does not know how logs each attempt.
 */
const LONGEST_VALUE = 255;

/** Opens the root directory; the caller closes it. @throws SyscallError when the overlay cannot be mounted */
export function openMergedView(options: ViewOptions): number {
  const { lowerdirs, upperdir, workdir } = options;
  const layers = workdir === undefined ? [upperdir, ...lowerdirs] : lowerdirs;
  // Overlay needs two layers; with fewer there is nothing to merge.
  if (layers.length < 2 && workdir === undefined) return openSync(upperdir, O.DIRECTORY | constants.O_RDONLY);
  using descriptors = new DisposableStack();
  const context = descriptors.adopt(call(fsopen('overlay', FSOPEN.CLOEXEC)), fd => call(close(fd)));
  const set = (key: string, value: string) => call(fsconfig(context, FSCONFIG.SET_STRING, key, value, 0));
  set('source', 'overlay');
  if (inUserNamespace()) call(fsconfig(context, FSCONFIG.SET_FLAG, 'userxattr', null, 0));
  const numbers = layers.map(layer =>
    descriptors.adopt(openSync(layer, O.PATH | O.DIRECTORY), closeSync).toString(),
  );
  const together = numbers.join(':');
  using _ = inDirectory('/proc/self/fd');
  if (together.length <= LONGEST_VALUE) set('lowerdir', together);
  else for (const number of numbers) set('lowerdir+', number);
  if (workdir !== undefined) {
    set('upperdir', upperdir);
    set('workdir', workdir);
  }
  call(fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0));
  const attributes = MOUNT_ATTR.NODEV | MOUNT_ATTR.NOSUID | (workdir === undefined ? MOUNT_ATTR.RDONLY : 0);
  return call(fsmount(context, FSMOUNT.CLOEXEC, attributes));
}

/**
 * Stays in `directory` until disposed: the numbers of descriptors are then the shortest paths to the layers.
 * Nothing else may run meanwhile, so the caller must not wait.
 */
function inDirectory(directory: string): Disposable {
  const before = openSync('.', O.PATH | O.DIRECTORY);
  process.chdir(directory);
  return {
    [Symbol.dispose]: () => {
      process.chdir(`/proc/self/fd/${before}`);
      closeSync(before);
    },
  };
}
