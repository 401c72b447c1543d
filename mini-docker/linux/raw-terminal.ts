// A terminal that passes every byte on unchanged, in both directions, because another terminal behind it does the
// editing. Node's setRawMode leaves output processing on: each line feed would become two characters. termios(3)
import { call } from './call.ts';
import { IOCTL } from './constants.ts';
import { ioctlBuffer } from './syscalls.ts';

/** struct termios of the kernel: four words of flags, the line discipline, and 19 characters. */
const TERMIOS_SIZE = 36;
/** <asm-generic/termbits.h>: IGNBRK to IXON, OPOST, CSIZE and PARENB, and ISIG, ICANON, ECHO, ECHONL, IEXTEN. */
const CLEARED = [0o2753, 0o1, 0o460, 0o100113];
const CS8 = 0o60;

/** As cfmakeraw(3). @returns restores the former settings */
export function makeRaw(fd: number): () => void {
  const before = Buffer.alloc(TERMIOS_SIZE);
  call(ioctlBuffer(fd, IOCTL.TCGETS, before));
  const raw = Buffer.from(before);
  CLEARED.forEach((bits, index) => {
    raw.writeUInt32LE((raw.readUInt32LE(index * 4) & ~bits) >>> 0, index * 4);
  });
  raw.writeUInt32LE(raw.readUInt32LE(8) | CS8, 8);
  call(ioctlBuffer(fd, IOCTL.TCSETS, raw));
  return () => void call(ioctlBuffer(fd, IOCTL.TCSETS, before));
}
