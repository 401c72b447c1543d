// The options that `create` and `run` share.
import { closeSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ExpectedError } from '../formats/errors.ts';
import { sendDescriptors } from '../linux/send-descriptor.ts';
import { flag, type Invocation, type Option, text, toggle, value } from './command.ts';
import { checkId } from './container-state.ts';
import type { CreateRequest } from './create-container.ts';

export const START_OPTIONS: Record<string, Option> = {
  bundle: value('path to the root of the bundle directory, defaults to the current directory', 'b'),
  'console-socket': value(
    "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal",
  ),
  'pid-file': value('specify the file to write the process id to'),
  'no-pivot': toggle('do not use pivot root to jail process inside rootfs: for a root on top of a ramdisk'),
  'no-new-keyring': toggle('do not create a new session keyring for the container'),
  'preserve-fds': value(
    'pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)',
  ),
};

export function createRequest(invocation: Invocation): Omit<CreateRequest, 'onTerminal' | 'detached'> {
  const { globals, args } = invocation;
  if (globals.systemdCgroup) refuseSystemd();
  const id = args[0]!;
  checkId(id);
  return {
    root: globals.root,
    id,
    bundle: resolve(text(invocation, 'bundle') ?? '.'),
    pidFile: text(invocation, 'pid-file'),
    noPivot: flag(invocation, 'no-pivot'),
    noNewKeyring: flag(invocation, 'no-new-keyring'),
    preserveFds: preservedFds(invocation),
  };
}

export function preservedFds(invocation: Invocation): number {
  const given = text(invocation, 'preserve-fds') ?? '0';
  if (!/^\d{1,4}$/.test(given))
    throw new ExpectedError('badParameter', `invalid value "${given}" for flag -preserve-fds`);
  return Number(given);
}

/** Hands the terminal's master to the caller's socket; undefined without one. */
export function givesTerminal(invocation: Invocation): ((master: number) => void) | undefined {
  const socket = text(invocation, 'console-socket');
  if (socket === undefined) return undefined;
  return master => {
    sendDescriptors(socket, [master], '/dev/ptmx');
    closeSync(master);
  };
}

function refuseSystemd(): never {
  throw new Error(
    existsSync('/run/systemd/system')
      ? 'systemd cgroups are not supported by this runtime: use the cgroupfs driver'
      : 'systemd not running on this host, cannot use systemd cgroups manager',
  );
}
