import { dirname } from 'node:path';
import { removeEmpty } from './files.ts';

/**
 * Removes the groups above ours that are empty now and whose name says that we made them. rmdir(2) takes none that
 * still has a process or a group in it, so this may be tried at any time.
 */
export function removeOurParents(mountPoint: string, path: string): void {
  for (let parent = dirname(path); parent !== '/' && parent !== '.'; parent = dirname(parent)) {
    if (!parent.startsWith('/mini-docker') || !removeEmpty(mountPoint + parent)) return;
  }
}
