// A container's root filesystem, seen from the host while the container is not running: a detached overlay
// mount (fsopen(2), fsmount(2)), held by a descriptor and in no mount namespace. After a crash there is
// nothing to unmount.

import { closeSync, constants, openSync } from 'node:fs';
import { call } from '../linux/call.ts';
import { FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, O } from '../linux/constants.ts';
import { mayFail, type Step } from '../linux/step.ts';
import { close, fsconfig, fsmount, fsopen } from '../linux/syscalls.ts';

export interface ViewOptions {
  /** The image's layers, topmost first. */
  lowerdirs: string[];
  /** The writable layer. Without `workdir` the view is read-only. */
  upperdir: string;
  workdir?: string;
}

/** Opens the root directory; the caller closes it. @throws SyscallError when the overlay cannot be mounted */
export function openMergedView(options: ViewOptions): number {
  const { lowerdirs, upperdir, workdir } = options;
  const layers = workdir === undefined ? [upperdir, ...lowerdirs] : lowerdirs;
  // Overlay needs two layers; with fewer there is nothing to merge.
  if (layers.length < 2 && workdir === undefined) return openSync(upperdir, O.DIRECTORY | constants.O_RDONLY);
  using descriptors = new DisposableStack();
  const view = { layers, upperdir, workdir };
  const context = oneByOne(view, descriptors) ?? atOnce(view, descriptors);
  const attributes = MOUNT_ATTR.NODEV | MOUNT_ATTR.NOSUID | (workdir === undefined ? MOUNT_ATTR.RDONLY : 0);
  return call(fsmount(context, FSMOUNT.CLOEXEC, attributes));
}

interface View {
  layers: string[];
  upperdir: string;
  workdir: string | undefined;
}

/**
 * Adds the layers one by one, which needs Linux 6.8. @returns undefined for older kernels: some fail at the
 * first layer, and those before 6.5 report unknown options only at the end.
 */
function oneByOne(view: View, descriptors: DisposableStack): number | undefined {
  const context = begin(descriptors);
  for (const layer of view.layers) {
    if (call(mayFail(set(context, 'lowerdir+', layer), 'EINVAL')) < 0) return undefined;
  }
  setWritable(context, view);
  return call(mayFail(create(context), 'EINVAL')) < 0 ? undefined : context;
}

/**
 * Adds all layers in one value, of which fsconfig(2) takes 255 bytes: descriptors have short names, and 15 of
 * them fit.
 */
function atOnce(view: View, descriptors: DisposableStack): number {
  const context = begin(descriptors);
  const short = view.layers.map(layer => {
    const fd = descriptors.adopt(openSync(layer, O.PATH | O.DIRECTORY), closeSync);
    return `/proc/self/fd/${fd}`;
  });
  call(set(context, 'lowerdir', short.join(':')));
  setWritable(context, view);
  call(create(context));
  return context;
}

function begin(descriptors: DisposableStack): number {
  const context = descriptors.adopt(call(fsopen('overlay', FSOPEN.CLOEXEC)), fd => call(close(fd)));
  call(set(context, 'source', 'overlay'));
  return context;
}

function setWritable(context: number, { upperdir, workdir }: View): void {
  if (workdir === undefined) return;
  call(set(context, 'upperdir', upperdir));
  call(set(context, 'workdir', workdir));
}

function set(context: number, key: string, value: string): Step {
  return fsconfig(context, FSCONFIG.SET_STRING, key, value, 0);
}

function create(context: number): Step {
  return fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0);
}
