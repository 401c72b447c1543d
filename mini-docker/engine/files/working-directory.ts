// `run -w`: makes the working directory before the first start, so that `cp` finds it.

import { closeSync } from 'node:fs';
import { badParameter } from '../../formats/errors.ts';
import { makeDirectoriesInRoot } from '../../linux/in-root.ts';
import { SyscallError } from '../../linux/syscall-error.ts';
import type { EngineContext } from '../state/context.ts';
import type { LiveContainer } from '../state/live-container.ts';
import { openContainerRoot } from './container-root.ts';

/**
 * Below a mount, the start makes the directory; it also reports errors that are not known here.
 * @throws badParameter when there is a file, in docker's words
 */
export async function makeWorkingDirectory(context: EngineContext, live: LiveContainer): Promise<void> {
  const { config, hostConfig, mounts } = live.record;
  const path = config.WorkingDir ?? '/';
  const isMounted = mounts.some(({ Destination }) => `${path}/`.startsWith(`${Destination}/`));
  if (isMounted || hostConfig.ReadonlyRootfs) return;
  try {
    using root = await openContainerRoot(context, live, { path: '/', writable: true });
    closeSync(makeDirectoriesInRoot(root.fd, path));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === 'ENOTDIR')
      throw Object.assign(badParameter(`Cannot mkdir: ${path} is not a directory`), { cause: error });
  }
}
