// Nameless files in memory. memfd_create(2)
import { writeSync } from 'node:fs';
import { call } from './call.ts';
import { F, F_SEAL, MFD } from './constants.ts';
import { mayFail } from './step.ts';
import { fcntl, ftruncate, memfdCreate } from './syscalls.ts';

/**
 * An executable that cannot be changed, not even through /proc/PID/exe of a running process. @returns a
 * close-on-exec descriptor
 */
export function sealedExecutable(name: string, image: Uint8Array): number {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  // MFD_EXEC exists since Linux 6.3; older kernels answer EINVAL, and make every memfd executable.
  const modern = call(mayFail(memfdCreate(name, flags | MFD.EXEC), 'EINVAL'));
  const fd = modern >= 0 ? modern : call(memfdCreate(name, flags));
  writeSync(fd, image);
  call(fcntl(fd, F.ADD_SEALS, F_SEAL.WRITE | F_SEAL.GROW | F_SEAL.SHRINK | F_SEAL.SEAL));
  return fd;
}

/** `size` zero bytes that several processes can map. @returns a close-on-exec descriptor */
export function sharedMemory(name: string, size: number): number {
  const fd = call(memfdCreate(name, MFD.CLOEXEC));
  call(ftruncate(fd, size));
  return fd;
}
