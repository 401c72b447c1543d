// Hands a container's system calls to a supervisor: a seccomp filter's listener goes to the socket that the bundle
// names, with the state of the process (config-linux.md, "The Container Process State").
import { closeSync } from 'node:fs';
import { FormatError } from '../formats/errors.ts';
import type { Seccomp } from '../formats/oci/runtime-spec.ts';
import { takeFd } from '../linux/pidfd.ts';
import { sendDescriptors } from '../linux/send-descriptor.ts';
import { OCI_VERSION, type PublicState } from './container-state.ts';

/** @throws FormatError when calls are to be asked about, and nobody is named who answers */
export function checkSupervisor({ defaultAction, syscalls, listenerPath }: Seccomp): void {
  if (defaultAction === 'SCMP_ACT_NOTIFY')
    throw new FormatError('linux.seccomp: SCMP_ACT_NOTIFY cannot be the default action: nothing could start');
  const asked = syscalls.filter(({ action }) => action === 'SCMP_ACT_NOTIFY');
  if (asked.some(({ names }) => names.includes('write')))
    throw new FormatError('linux.seccomp: SCMP_ACT_NOTIFY cannot be used for the write system call');
  if (asked.length > 0 && !listenerPath)
    throw new FormatError('linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath');
}

/** @param options.number the listener's number in the process */
export function giveToSupervisor(options: {
  seccomp: Seccomp;
  pidfd: number;
  number: number;
  pid: number;
  state: PublicState;
}): void {
  const { seccomp, pidfd, number, pid, state } = options;
  const { listenerPath, listenerMetadata } = seccomp;
  const listener = takeFd(pidfd, number);
  try {
    const told = {
      ociVersion: OCI_VERSION,
      fds: ['seccompFd'],
      pid,
      ...(listenerMetadata && { metadata: listenerMetadata }),
      state,
    };
    sendDescriptors(listenerPath!, [listener], JSON.stringify(told));
  } finally {
    closeSync(listener);
  }
}
