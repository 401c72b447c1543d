// /sys/fs/cgroup in a container: with version 2 a mount of the hierarchy, whose root is the cgroup
// namespace's; with version 1 a directory with the container's own control group of every controller.

import type { Mount, Spec } from '../formats/oci/runtime-spec.ts';
import { AT, MOUNT_ATTR, O } from '../linux/constants.ts';
import { inUserNamespace } from '../linux/own-user-namespace.ts';
import type { Item } from '../linux/program.ts';
import { because, resultOf } from '../linux/step.ts';
import { encodeMountAttr } from '../linux/structures.ts';
import { close, mountSetattr } from '../linux/syscalls.ts';
import { openInside } from './inside.ts';

export interface CgroupView {
  version: 1 | 2 | 'none';
  /** For version 1: the container's directories on the host, one per controller. For version 2: the whole tree. */
  directories: { controller: string; directory: string }[];
}

/** @returns the mounts that replace one of type 'cgroup', and the steps to run once they are attached */
export function expandCgroupMount(
  mount: Mount,
  view: CgroupView,
  namespaces: Spec['linux']['namespaces'],
): { mounts: Mount[]; finish: Item[] } {
  const { destination, options = [] } = mount;
  if (view.version === 2) {
    const has = (kind: string) => namespaces.some(({ type }) => type === kind);
    const [whole] = view.directories;
    // The kernel lets only the owner of a cgroup namespace mount it.
    if (whole !== undefined && !has('cgroup') && (has('user') || inUserNamespace())) {
      const bind = { destination, type: 'bind', source: whole.directory, options: ['rbind', ...options] };
      return { mounts: [bind], finish: [] };
    }
    return { mounts: [{ ...mount, type: 'cgroup2' }], finish: [] };
  }
  const access = options.includes('ro') ? 'ro' : 'rw';
  const hardened = options.filter(option => option !== 'ro' && option !== 'rw');
  const groups = view.directories.map(({ controller, directory }) => ({
    destination: `${destination}/${controller}`,
    type: 'bind',
    source: directory,
    options: ['bind', access, ...hardened],
  }));
  const base = {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...hardened, 'mode=755'],
    part: 'control-groups',
  };
  return { mounts: [base, ...groups], finish: access === 'ro' ? makeReadonly(destination) : [] };
}

/** Only at this point: mount points could not be made on a read-only tmpfs. */
function makeReadonly(path: string): Item[] {
  const mount = openInside(path, O.PATH | O.DIRECTORY);
  const attributes = encodeMountAttr({ set: MOUNT_ATTR.RDONLY });
  return [
    ...mount.items,
    because(
      'the container may add nothing here',
      mountSetattr(resultOf(mount.fd), '', AT.EMPTY_PATH, attributes),
    ),
    close(resultOf(mount.fd)),
  ];
}
