// A container's root filesystem, seen from the host while the container does not run: a detached overlay mount
// (fsopen(2), fsmount(2)), a descriptor that belongs to no mount namespace. Nothing has to be unmounted after a crash.

import { closeSync, constants, openSync } from 'node:fs';
import { call } from '../linux/call.ts';
import { FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, O } from '../linux/constants.ts';
import { mayFail } from '../linux/step.ts';
import { close, fsconfig, fsmount, fsopen } from '../linux/syscalls.ts';

export interface ViewOptions {
  /** Topmost first. */
  lowerdirs: string[];
  /** The writable layer. Without `workdir` the view is read-only. */
  upperdir: string;
  workdir?: string;
}

/** A descriptor of the root directory, the caller's to close. @throws SyscallError */
export function openMergedView(options: ViewOptions): number {
  const { lowerdirs, upperdir, workdir } = options;
  const layers = workdir === undefined ? [upperdir, ...lowerdirs] : lowerdirs;
  // Overlay wants two layers; an image without any has nothing to merge.
  if (layers.length < 2 && workdir === undefined) return openSync(upperdir, O.DIRECTORY | constants.O_RDONLY);
  using descriptors = new DisposableStack();
  const context = descriptors.adopt(call(fsopen('overlay', FSOPEN.CLOEXEC)), fd => call(close(fd)));
  const set = (key: string, value: string) => fsconfig(context, FSCONFIG.SET_STRING, key, value, 0);
  call(set('source', 'overlay'));
  const isOneByOne = layers.every(layer => call(mayFail(set('lowerdir+', layer), 'EINVAL')) >= 0);
  if (!isOneByOne) {
    // A kernel before 6.8 wants all in one value, and fsconfig(2) takes 255 bytes: descriptors have short names.
    const short = layers.map(layer => {
      const fd = descriptors.adopt(openSync(layer, O.PATH | O.DIRECTORY), closeSync);
      return `/proc/self/fd/${fd}`;
    });
    call(set('lowerdir', short.join(':')));
  }
  if (workdir !== undefined) {
    call(set('upperdir', upperdir));
    call(set('workdir', workdir));
  }
  call(fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0));
  const attributes = MOUNT_ATTR.NODEV | MOUNT_ATTR.NOSUID | (workdir === undefined ? MOUNT_ATTR.RDONLY : 0);
  return call(fsmount(context, FSMOUNT.CLOEXEC, attributes));
}
