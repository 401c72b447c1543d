// Whether the data root's file system can hold containers of a rootless daemon. The kernel's answer to a mount
// of a container would come late, and is EINVAL for many reasons.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../linux/call.ts';
import { mayFail } from '../linux/step.ts';
import { fsetxattr } from '../linux/syscalls.ts';
import { openMergedView } from '../runtime/merged-view.ts';

/**
 * @returns what will not work, in a sentence
 * @throws Error with one line when no container could be made there
 */
export function checkStorage(dataRoot: string): string | undefined {
  const directory = mkdtempSync(join(dataRoot, '.storage-'));
  try {
    const [lower, upperdir, workdir] = ['lower', 'upper', 'work'].map(name => join(directory, name));
    for (const each of [lower, upperdir, workdir]) mkdirSync(each!);
    try {
      closeSync(openMergedView({ lowerdirs: [lower!], upperdir: upperdir!, workdir: workdir! }));
    } catch (cause) {
      throw new Error(
        `containers cannot be kept in ${dataRoot} without root: ${(cause as Error).message}. Overlay in a user namespace needs Linux 5.11 and a local file system such as ext4, xfs or btrfs: choose another directory with --data-root`,
        { cause },
      );
    }
    return hasAttributes(upperdir!)
      ? undefined
      : `the file system of ${dataRoot} has no user.* attributes: a directory that replaces one of its image shows the old files, too`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function hasAttributes(directory: string): boolean {
  const fd = openSync(directory, 'r');
  try {
    return call(mayFail(fsetxattr(fd, 'user.mini-docker', Buffer.from('y'), 0), 'EOPNOTSUPP', 'EPERM')) === 0;
  } finally {
    closeSync(fd);
  }
}
